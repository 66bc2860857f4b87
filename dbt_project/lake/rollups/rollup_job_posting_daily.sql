with

postings as (
    select * from {{ ref("stg_marketplace__job_posting") }}
),

newest_first as (
    select
        *,
        row_number() over (
            partition by dt, job_id
            order by changed_at desc, event_id asc
        ) as nth_newest,
        count(*) over (partition by dt, job_id) as postings
    from postings
),

last_state_of_day as (
    select
        dt,
        job_id,
        employer_id,
        title,
        category,
        city,
        country,
        salary_cents,
        currency,
        remote,
        if(action = 'closed', 'closed', 'open') as status,
        changed_at as last_event_at,
        postings
    from newest_first
    where nth_newest = 1
)

select * from last_state_of_day
