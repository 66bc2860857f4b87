with

events as (
    {{ typed_events("job_view") }}
),

renamed as (
    select
        -- ids
        event_id,
        job_id,
        user_id,
        search_id,

        -- time
        dt,
        try_cast(occurred_at as timestamp) as viewed_at,

        -- measures
        duration_ms,

        -- text
        category,
        source,
        device
    from events
)

select * from renamed
