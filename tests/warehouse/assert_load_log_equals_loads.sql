-- What the record says was loaded is what the tables hold, day by day: only
-- then is it safe to skip a day because the record has its location.
{%- set loads = [
    ref('load_rollup_job_view_daily'),
    ref('load_rollup_job_posting_daily'),
    ref('load_rollup_funnel_daily'),
    ref('load_rollup_experiment_daily'),
] %}
{%- set names = loads | map(attribute='identifier') | join("', '") %}

with

recorded as (
    select * from {{ ref('loaded_partition') }}
    where row_count > 0 and table_name in ('{{ names }}')
),

held as (
    {%- for load in loads %}
    select
        '{{ load.identifier }}' as load_name,
        dt,
        count(*) as held_rows
    from {{ load }}
    group by dt
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

differences as (
    select
        coalesce(recorded.table_name, held.load_name) as load_name,
        coalesce(recorded.dt, held.dt) as dt,
        recorded.row_count as recorded_rows,
        held.held_rows
    from recorded
    full outer join held
        on recorded.table_name = held.load_name and recorded.dt = held.dt
    where
        recorded.row_count is null
        or held.held_rows is null
        or recorded.row_count != held.held_rows
)

select * from differences
