-- Every day of every load is what the lake shows now: the same rows and sums. A
-- difference is a day that was loaded wrong or is yet to be loaded.
{%- set loads = {
    'job_view': (
        source('lake', 'rollup_job_view_daily'),
        ref('load_rollup_job_view_daily'),
        ['views', 'viewers', 'view_ms'],
    ),
    'job_posting': (
        source('lake', 'rollup_job_posting_daily'),
        ref('load_rollup_job_posting_daily'),
        ['postings', 'salary_cents'],
    ),
    'funnel': (
        source('lake', 'rollup_funnel_daily'),
        ref('load_rollup_funnel_daily'),
        ['searches', 'searchers', 'views', 'viewers', 'applications', 'applicants'],
    ),
    'experiment': (
        source('lake', 'rollup_experiment_daily'),
        ref('load_rollup_experiment_daily'),
        ['exposures', 'exposed_users', 'viewers', 'applicants'],
    ),
} %}

with

totals as (
    {%- for name, (rollup, load, measures) in loads.items() %}
    {%- for relation, sign in [(rollup, 1), (load, -1)] %}
    {%- for measure in ['1'] + measures %}
    select
        '{{ name }}' as rollup_name,
        '{{ measure }}' as measure,
        dt,
        {{ sign }} * coalesce(sum({{ measure }}), 0) as total
    from {{ relation }}
    group by dt
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

differences as (
    select
        rollup_name,
        measure,
        dt,
        sum(total) as difference
    from totals
    group by rollup_name, measure, dt
    having sum(total) != 0
)

select * from differences
