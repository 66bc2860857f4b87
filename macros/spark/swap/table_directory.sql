{% macro table_directory(relation) -%}
    {%- set root = config.get("location_root") -%}
    {%- if not root -%}
        {{ exceptions.raise_compiler_error("swapped tables need the config `location_root`, where their directories go") }}
    {%- endif -%}
    {{ return(root.rstrip("/") ~ "/" ~ relation.identifier) }}
{%- endmacro %}
