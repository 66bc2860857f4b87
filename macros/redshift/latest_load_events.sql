{% macro latest_load_events() %}
    select table_name, dt, event, location, row_count, loaded_at, invocation_id
    from (
        select
            table_name, dt, event, location, row_count, loaded_at, invocation_id,
            row_number() over (
                partition by table_name, dt
                order by loaded_at desc
            ) as recency
        from {{ load_log() }}
    ) as events
    where recency = 1
{% endmacro %}
