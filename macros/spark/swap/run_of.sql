{% macro run_of(relation, day) -%}
    {{ return(location_of(relation, day).rpartition("/_v/")[2].split("/")[0]) }}
{%- endmacro %}
