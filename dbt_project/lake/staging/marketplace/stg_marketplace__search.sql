with

events as (
    {{ typed_events("search") }}
),

renamed as (
    select
        -- ids
        event_id,
        search_id,
        user_id,

        -- time
        dt,
        try_cast(occurred_at as timestamp) as searched_at,

        -- measures
        results,

        -- text
        query,
        category
    from events
)

select * from renamed
