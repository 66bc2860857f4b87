{% macro run_query(sql) -%}
    {%- if modules.re.match("\\s*(create|alter|drop|comment)\\b", sql | lower) -%}
        {%- call statement("run_query_statement", auto_begin=false) -%}{{ sql }}{%- endcall -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(dbt.run_query(sql)) }}
{%- endmacro %}
