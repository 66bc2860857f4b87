with

exposures as (
    select * from {{ ref("stg_marketplace__experiment_exposure") }}
),

activity as (
    select * from {{ ref("int_user_activity_daily") }}
),

exposures_by_user as (
    select
        dt,
        experiment_id,
        variant,
        user_id,
        count(*) as exposures
    from exposures
    group by dt, experiment_id, variant, user_id
),

activity_by_user as (
    select
        dt,
        user_id,
        sum(views) as views,
        sum(applications) as applications
    from activity
    group by dt, user_id
),

outcomes_by_user as (
    select
        exposed.dt,
        exposed.experiment_id,
        exposed.variant,
        exposed.user_id,
        exposed.exposures,
        coalesce(activity_by_user.views, 0) as views,
        coalesce(activity_by_user.applications, 0) as applications
    from exposures_by_user as exposed
    left join activity_by_user
        on
            exposed.dt = activity_by_user.dt
            and exposed.user_id = activity_by_user.user_id
)

select * from outcomes_by_user
