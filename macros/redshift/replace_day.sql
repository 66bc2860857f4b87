{% macro replace_day(target_relation, stage, query, day, location) %}
    {%- set names = model.columns.keys() | join(', ') -%}
    {#- If the connection breaks, the adapter sends the statement again in a new
        session, where it would be committed alone. Only the first session has
        the stage, so each statement names it and fails anywhere else. -#}
    {%- call statement('placed_rows', fetch_result=true, auto_begin=false) -%}
        delete from {{ target_relation }}
        where
            dt = '{{ day }}'
            and (select count(*) from {{ stage }}) >= 0;

        insert into {{ target_relation }} ({{ names }})
        select {{ names }}
        from (
            {{ select_from(stage, query) }}
        ) as loaded;

        insert into {{ load_log() }}
            (table_name, dt, event, location, row_count, invocation_id)
        select
            '{{ this.identifier }}', cast('{{ day }}' as date), 'loaded',
            {{ dbt.string_literal(location) }}, count(*), '{{ invocation_id }}'
        from {{ stage }};

        select count(*) from {{ target_relation }} where dt = '{{ day }}'
    {%- endcall -%}
    {%- call statement('drop_stage', auto_begin=false) -%}
        drop table {{ stage }}
    {%- endcall -%}
    {{- return(load_result('placed_rows').table.columns[0].values()[0] | int) -}}
{% endmacro %}
