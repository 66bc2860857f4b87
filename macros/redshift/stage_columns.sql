{% macro stage_columns(rollup) %}
    {#- another view of the leader node: read alone -#}
    {%- call statement('stage_columns', fetch_result=true) -%}
        select
            columnname,
            external_type
        from svv_external_columns
        where
            schemaname = '{{ rollup.schema }}'
            and tablename = '{{ rollup.identifier }}'
            and part_key = 0
        order by columnnum
    {%- endcall -%}
    {%- set columns = [] -%}
    {%- for row in load_result('stage_columns').table.rows -%}
        {%- set name = row[0] | trim -%}
        {%- set type = model.columns[name].data_type if name in model.columns else row[1] | trim -%}
        {%- do columns.append(name ~ ' ' ~ canonical_type(type)) -%}
    {%- endfor -%}
    {%- if not columns -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ": " ~ rollup ~ " is not in the lake: build it there first"
        ) -%}
    {%- endif -%}
    {{- return(columns) -}}
{% endmacro %}
