{% macro columns_of(described) -%}
    {%- set columns = {} -%}
    {%- for row in run_query("describe " ~ described) -%}
        {#- After the columns Spark repeats the partition's under a heading. -#}
        {%- if not row[0] or row[0].startswith("#") -%}
            {{ return(columns) }}
        {%- endif -%}
        {%- do columns.update({row[0] | lower: row[1]}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
