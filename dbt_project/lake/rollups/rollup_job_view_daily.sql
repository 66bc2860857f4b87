with

views as (
    select * from {{ ref("stg_marketplace__job_view") }}
),

views_by_job as (
    select
        dt,
        job_id,
        count(*) as views,
        count(distinct user_id) as viewers,
        sum(duration_ms) as view_ms
    from views
    group by dt, job_id
)

select * from views_by_job
