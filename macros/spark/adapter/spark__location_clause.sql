{% macro spark__location_clause() -%}
    {%- if config.get("location_root") -%}
        location '{{ run_directory(this, run_name()) }}'
    {%- endif -%}
{%- endmacro %}
