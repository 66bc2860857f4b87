with

latest_events as (
    {{ latest_load_events() }}
),

loaded as (
    select
        -- ids
        table_name,
        invocation_id,

        -- time
        dt,
        loaded_at,

        -- measures
        row_count,

        -- text
        location
    from latest_events
    where event = 'loaded'
)

select * from loaded
