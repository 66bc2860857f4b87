{% macro lock_of(relation) -%}
    {{ return(relation.incorporate(path={"identifier": relation.identifier ~ "__publishing"}, type="view")) }}
{%- endmacro %}
