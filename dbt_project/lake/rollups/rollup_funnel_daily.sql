with

activity as (
    select * from {{ ref("int_user_activity_daily") }}
),

funnel_by_category as (
    select
        dt,
        category,
        sum(searches) as searches,
        count_if(searches > 0) as searchers,
        sum(views) as views,
        count_if(views > 0) as viewers,
        sum(applications) as applications,
        count_if(applications > 0) as applicants
    from activity
    group by dt, category
)

select * from funnel_by_category
