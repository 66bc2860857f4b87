with

events as (
    select * from {{ ref("stg_jobs__listing_event") }}
),

events_by_kind as (
    select
        dt,
        event,
        count(*) as events,
        count(distinct listing_id) as listings
    from events
    group by dt, event
)

select * from events_by_kind
