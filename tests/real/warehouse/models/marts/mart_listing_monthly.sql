with

events as (
    select * from {{ ref('load_rollup_listing_daily') }}
),

events_by_month as (
    select
        cast(date_trunc('month', dt) as date) as month,
        sum(case when event = 'listing_added' then events else 0 end) as added,
        sum(case when event = 'listing_closed' then events else 0 end)
            as closed,
        sum(case when event = 'listing_reopened' then events else 0 end)
            as reopened
    from events
    group by 1
)

select * from events_by_month
