{% macro stage_day(stage, columns, day, location) %}
    {#- the slash keeps dt=2026-01-0 from taking dt=2026-01-02 as well -#}
    {%- call statement('copied_rows', fetch_result=true, auto_begin=false) -%}
        create temporary table {{ stage }} ({{ columns | join(', ') }});

        copy {{ stage }}
        from {{ dbt.string_literal(location.rstrip('/') ~ '/') }}
        {{ iam_role() }}
        format as parquet
        fillrecord;

        select pg_last_copy_count()
    {%- endcall -%}
    {#- the files lack dt, which is in their path -#}
    {%- call statement('add_dt', auto_begin=false) -%}
        alter table {{ stage }} add column dt date default '{{ day }}'
    {%- endcall -%}
    {{- return(load_result('copied_rows').table.columns[0].values()[0] | int) -}}
{% endmacro %}
