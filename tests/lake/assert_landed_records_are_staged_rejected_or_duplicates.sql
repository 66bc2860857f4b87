-- Nothing that landed may vanish on its way into staging. The hour log counts
-- what the lander wrote, the ledger what the views show. A day with an open
-- hour is still being written.
with

entries as (
    select * from {{ source("platform", "hour") }}
),

ledger as (
    select * from {{ ref("ledger_daily") }}
),

touched_hours as (
    select
        entries.topic,
        entries.sequence,
        touched.data_type,
        touched.dt,
        touched.hour,
        touched.records,
        touched.sealed
    from entries
        lateral view explode(entries.hours) as touched
),

latest_hours as (
    select
        data_type,
        dt,
        hour,
        max_by(records, sequence) as records,
        max_by(sealed, sequence) as sealed
    from touched_hours
    group by topic, data_type, dt, hour
),

landed_days as (
    select
        data_type,
        cast(dt as date) as dt,
        sum(records) as landed
    from latest_hours
    group by data_type, dt
    having bool_and(sealed)
)

select
    landed_days.data_type,
    landed_days.dt,
    landed_days.landed,
    ledger.staged,
    ledger.rejected,
    ledger.duplicates
from landed_days
inner join ledger
    on
        landed_days.data_type = ledger.data_type
        and landed_days.dt = ledger.dt
where landed_days.landed != ledger.staged + ledger.rejected + ledger.duplicates
