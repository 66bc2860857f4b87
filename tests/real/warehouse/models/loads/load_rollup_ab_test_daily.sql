select
    dt,
    variant,
    players,
    rounds,
    retained_1,
    retained_7
from {{ source('lake', 'rollup_ab_test_daily') }}
