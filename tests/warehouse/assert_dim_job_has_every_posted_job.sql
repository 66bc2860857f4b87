-- The dimension loses neither a posted job nor a posting event. (That no viewed
-- job is missing is the relationship test of fct_job_view_daily.)
with

posted as (
    select
        job_id,
        sum(postings) as postings
    from {{ ref('load_rollup_job_posting_daily') }}
    group by job_id
),

jobs as (
    select * from {{ ref('dim_job') }}
),

differences as (
    select
        posted.job_id,
        posted.postings as loaded_postings,
        jobs.postings as dimension_postings
    from posted
    left join jobs on posted.job_id = jobs.job_id
    where jobs.job_id is null or posted.postings != jobs.postings
)

select * from differences
