{% macro run_directory(relation) -%}
    {%- set run = run_started_at.strftime("%Y%m%dT%H%M%S") ~ "-" ~ invocation_id[:8] -%}
    {{ return(table_directory(relation) ~ "/_v/" ~ run) }}
{%- endmacro %}
