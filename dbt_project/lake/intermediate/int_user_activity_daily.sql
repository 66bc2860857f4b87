with

searches as (
    select * from {{ ref("stg_marketplace__search") }}
),

views as (
    select * from {{ ref("stg_marketplace__job_view") }}
),

applications as (
    select * from {{ ref("stg_marketplace__job_application") }}
),

actions as (
    select
        dt,
        user_id,
        category,
        'search' as action
    from searches
    union all
    select
        dt,
        user_id,
        category,
        'view' as action
    from views
    union all
    select
        dt,
        user_id,
        category,
        'application' as action
    from applications
),

actions_by_user as (
    select
        dt,
        user_id,
        category,
        count_if(action = 'search') as searches,
        count_if(action = 'view') as views,
        count_if(action = 'application') as applications
    from actions
    group by dt, user_id, category
)

select * from actions_by_user
