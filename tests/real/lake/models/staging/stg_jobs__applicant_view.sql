with

views as (
    {{ typed_events("applicant_view") }}
),

renamed as (
    select
        -- ids
        applicant_id,
        job_id,

        -- time
        dt,
        cast(viewed.start as timestamp) as viewed_at,

        -- measures
        viewed.seconds as view_seconds,

        -- text
        industry
    from views
)

select * from renamed
