{% macro spark__list_relations_without_caching(relation) -%}
    {%- if var("offline", false) -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(dbt.spark__list_relations_without_caching(relation)) }}
{%- endmacro %}
