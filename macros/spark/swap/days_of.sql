{% macro days_of(relation) -%}
    {%- set days = [] -%}
    {%- for row in run_query("show partitions " ~ relation) -%}
        {%- do days.append(row[0].split("=")[1]) -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}
