{% macro report_load_errors() %}
    {%- set failed = results
        | selectattr('status', 'equalto', 'error')
        | selectattr('node.config.materialized', 'equalto', 'load')
        | list
        if execute else [] -%}
    {%- if failed -%}
        {%- call statement('load_errors', fetch_result=true, auto_begin=false) -%}
            select distinct
                file_name,
                error_message
            from sys_load_error_detail
            where start_time >= '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}'
        {%- endcall -%}
        {%- for row in load_result('load_errors').table.rows -%}
            {%- do exceptions.warn("COPY of " ~ row[0] | trim ~ ": " ~ row[1] | trim) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
