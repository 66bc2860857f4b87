with

events as (
    {{ typed_events("job_application") }}
),

renamed as (
    select
        -- ids
        event_id,
        application_id,
        job_id,
        user_id,

        -- time
        dt,
        try_cast(occurred_at as timestamp) as applied_at,

        -- measures
        cover_letter_chars,

        -- text
        category
    from events
)

select * from renamed
