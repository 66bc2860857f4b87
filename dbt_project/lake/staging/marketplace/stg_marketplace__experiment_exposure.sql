with

events as (
    {{ typed_events("experiment_exposure") }}
),

renamed as (
    select
        -- ids
        event_id,
        experiment_id,
        user_id,

        -- time
        dt,
        try_cast(occurred_at as timestamp) as exposed_at,

        -- text
        variant
    from events
)

select * from renamed
