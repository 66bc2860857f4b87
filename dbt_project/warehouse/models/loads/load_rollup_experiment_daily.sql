select
    -- ids
    experiment_id,
    variant,

    -- time
    dt,

    -- measures
    exposures,
    exposed_users,
    viewers,
    applicants
from {{ source('lake', 'rollup_experiment_daily') }}
