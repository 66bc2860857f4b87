{% macro sortable(column) -%}
    {%- if "map<" in column.data_type -%}
        to_json(`{{ column.name }}`)
    {%- else -%}
        `{{ column.name }}`
    {%- endif -%}
{%- endmacro %}
