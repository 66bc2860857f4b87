{% macro release_publication(relation) -%}
    {%- do run_query("drop view if exists " ~ lock_of(relation)) -%}
{%- endmacro %}
