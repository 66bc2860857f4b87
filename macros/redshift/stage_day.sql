{% macro stage_day(stage, rollup, columns, location, is_empty=false) %}
    {%- call statement('stage_day', auto_begin=false) -%}
        create temporary table {{ stage }} as
        select {{ columns | join(', ') }}
        from {{ rollup }}
        where false
    {%- endcall -%}
    {%- if is_empty -%}
        {{- return(0) -}}
    {%- endif -%}
    {#- the slash keeps dt=2026-01-0 from taking dt=2026-01-02 as well -#}
    {%- call statement('copied_rows', fetch_result=true, auto_begin=false) -%}
        copy {{ stage }}
        from {{ dbt.string_literal(location.rstrip('/') ~ '/') }}
        {{ iam_role() }}
        format as parquet
        fillrecord;

        select pg_last_copy_count()
    {%- endcall -%}
    {{- return(load_result('copied_rows').table.columns[0].values()[0] | int) -}}
{% endmacro %}
