select
    -- ids
    job_id,
    employer_id,

    -- time
    dt,
    last_event_at,

    -- measures
    postings,
    salary_cents,

    -- text
    title,
    category,
    city,
    country,
    currency,
    remote,
    status
from {{ source('lake', 'rollup_job_posting_daily') }}
