{% macro run_directory(relation, run) -%}
    {{ return(table_directory(relation) ~ "/_v/" ~ run) }}
{%- endmacro %}
