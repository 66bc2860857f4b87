with

postings as (
    select * from {{ ref('load_rollup_job_posting_daily') }}
),

views as (
    select * from {{ ref('load_rollup_job_view_daily') }}
),

newest_first as (
    select
        *,
        row_number() over (
            partition by job_id
            order by dt desc
        ) as nth_newest
    from postings
),

latest_state as (
    select * from newest_first
    where nth_newest = 1
),

posting_history as (
    select
        job_id,
        cast(sum(postings) as bigint) as postings,
        min(dt) as first_posting_dt,
        max(dt) as last_posting_dt
    from postings
    group by job_id
),

view_history as (
    select
        job_id,
        min(dt) as first_view_dt,
        max(dt) as last_view_dt
    from views
    group by job_id
),

history as (
    select
        coalesce(posting_history.job_id, view_history.job_id) as job_id,
        coalesce(posting_history.postings, 0) as postings,
        posting_history.first_posting_dt,
        posting_history.last_posting_dt,
        view_history.first_view_dt,
        view_history.last_view_dt
    from posting_history
    full outer join view_history on posting_history.job_id = view_history.job_id
),

described as (
    select
        -- ids
        history.job_id,
        latest_state.employer_id,

        -- time
        history.first_posting_dt,
        history.last_posting_dt,
        history.first_view_dt,
        history.last_view_dt,
        latest_state.last_event_at,

        -- measures
        latest_state.salary_cents,
        history.postings,

        -- text
        latest_state.title,
        latest_state.category,
        latest_state.city,
        latest_state.country,
        latest_state.currency,
        latest_state.remote,
        coalesce(latest_state.status, 'unknown') as status
    from history
    left join latest_state on history.job_id = latest_state.job_id
)

select * from described
