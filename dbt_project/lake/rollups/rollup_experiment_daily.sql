with

outcomes as (
    select * from {{ ref("int_experiment_user_daily") }}
),

outcomes_by_variant as (
    select
        dt,
        experiment_id,
        variant,
        sum(exposures) as exposures,
        count(*) as exposed_users,
        count_if(views > 0) as viewers,
        count_if(applications > 0) as applicants
    from outcomes
    group by dt, experiment_id, variant
)

select * from outcomes_by_variant
