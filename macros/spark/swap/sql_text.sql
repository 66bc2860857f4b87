{% macro sql_text(text) -%}
    {{ return("'" ~ text | trim | replace("\\", "\\\\") | replace("'", "\\'") ~ "'") }}
{%- endmacro %}
