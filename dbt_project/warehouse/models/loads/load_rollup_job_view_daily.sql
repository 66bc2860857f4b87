select
    -- ids
    job_id,

    -- time
    dt,

    -- measures
    views,
    viewers,
    view_ms
from {{ source('lake', 'rollup_job_view_daily') }}
