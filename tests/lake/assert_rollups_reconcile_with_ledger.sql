-- What was staged is what the roll-ups count, day by day: a join that lost
-- or doubled rows, or a day not built again after late data, shows here.
with

ledger as (
    select * from {{ ref("ledger_daily") }}
),

views as (
    select * from {{ ref("rollup_job_view_daily") }}
),

postings as (
    select * from {{ ref("rollup_job_posting_daily") }}
),

funnel as (
    select * from {{ ref("rollup_funnel_daily") }}
),

experiments as (
    select * from {{ ref("rollup_experiment_daily") }}
),

rolled_up as (
    select
        'rollup_job_view_daily' as rolled_up_in,
        'job_view' as data_type,
        dt,
        sum(views) as records
    from views
    group by dt
    union all
    select
        'rollup_job_posting_daily' as rolled_up_in,
        'job_posting' as data_type,
        dt,
        sum(postings) as records
    from postings
    group by dt
    union all
    select
        'rollup_funnel_daily' as rolled_up_in,
        'search' as data_type,
        dt,
        sum(searches) as records
    from funnel
    group by dt
    union all
    select
        'rollup_funnel_daily' as rolled_up_in,
        'job_view' as data_type,
        dt,
        sum(views) as records
    from funnel
    group by dt
    union all
    select
        'rollup_funnel_daily' as rolled_up_in,
        'job_application' as data_type,
        dt,
        sum(applications) as records
    from funnel
    group by dt
    union all
    select
        'rollup_experiment_daily' as rolled_up_in,
        'experiment_exposure' as data_type,
        dt,
        sum(exposures) as records
    from experiments
    group by dt
)

select
    rolled_up.rolled_up_in,
    ledger.data_type,
    ledger.dt,
    ledger.staged,
    rolled_up.records
from ledger
full outer join rolled_up
    on
        ledger.data_type = rolled_up.data_type
        and ledger.dt = rolled_up.dt
where coalesce(ledger.staged, 0) != coalesce(rolled_up.records, 0)
