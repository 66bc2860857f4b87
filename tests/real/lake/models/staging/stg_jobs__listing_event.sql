with

events as (
    {{ typed_events("listing_event") }}
),

renamed as (
    select
        -- ids
        `commit` as commit_id,
        listing.id as listing_id,

        -- time
        dt,
        hour,
        timestamp_seconds(observed_at) as observed_at,
        timestamp_seconds(listing.date_posted) as posted_at,

        -- measures
        listing.active as is_active,

        -- text
        event,
        listing.company_name as company,
        listing.title
    from events
)

select * from renamed
