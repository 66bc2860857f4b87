-- What the record says was loaded is what the tables hold, day by day: only then
-- is it safe to skip a day because the record has its location.
{%- set loads = [
    ref('load_rollup_job_view_daily'),
    ref('load_rollup_job_posting_daily'),
    ref('load_rollup_funnel_daily'),
    ref('load_rollup_experiment_daily'),
] %}

with

recorded as (
    select
        table_name,
        dt,
        row_count
    from {{ ref('loaded_partition') }}
    where
        row_count > 0
        and table_name in ('{{ loads | map(attribute="identifier") | join("', '") }}')
),

held as (
    {%- for load in loads %}
    select
        '{{ load.identifier }}' as table_name,
        dt,
        count(*) as row_count
    from {{ load }}
    group by dt
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

differences as (
    select
        coalesce(recorded.table_name, held.table_name) as table_name,
        coalesce(recorded.dt, held.dt) as dt,
        recorded.row_count as recorded_rows,
        held.row_count as held_rows
    from recorded
    full outer join held
        on recorded.table_name = held.table_name and recorded.dt = held.dt
    where
        recorded.row_count is null
        or held.row_count is null
        or recorded.row_count != held.row_count
)

select * from differences
