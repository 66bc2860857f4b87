select
    -- ids
    category,

    -- time
    dt,

    -- measures
    searches,
    searchers,
    views,
    viewers,
    applications,
    applicants
from {{ source('lake', 'rollup_funnel_daily') }}
