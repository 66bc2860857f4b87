with

events as (
    {{ typed_events("job_posting") }}
),

renamed as (
    select
        -- ids
        event_id,
        job_id,
        employer_id,

        -- time
        dt,
        try_cast(occurred_at as timestamp) as changed_at,

        -- measures
        salary_cents,

        -- text
        action,
        title,
        category,
        city,
        country,
        currency,
        remote,
        skills
    from events
)

select * from renamed
