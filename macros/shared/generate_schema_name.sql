{#- Plain names in local and prod; in ci every schema carries the target's, so that runs keep apart. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set name = (custom_schema_name or "") | trim -%}
    {%- if not name -%}
        {{ target.schema }}
    {%- elif target.name == "ci" -%}
        {{ target.schema }}_{{ name }}
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}
