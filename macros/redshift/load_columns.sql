{% macro load_columns(rollup) %}
    {#- another view of the leader node: read alone -#}
    {%- call statement('load_columns', fetch_result=true) -%}
        select columnname
        from svv_external_columns
        where
            schemaname = '{{ rollup.schema }}'
            and tablename = '{{ rollup.identifier }}'
            and part_key = 0
        order by columnnum
    {%- endcall -%}
    {%- set columns = [] -%}
    {%- for name in load_result('load_columns').table.columns[0].values() | map('trim') -%}
        {%- if name in model.columns -%}
            {%- do columns.append(
                "cast(" ~ name ~ " as " ~ model.columns[name].data_type ~ ") as " ~ name
            ) -%}
        {%- else -%}
            {%- do columns.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}
