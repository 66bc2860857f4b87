-- Every day of every load is what the lake shows now: the same rows and the same
-- sums. A difference is a day that was loaded wrong or not since it changed.
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

{% for name, (rollup, load, measures) in loads.items() %}
{%- for side, relation in [('lake', rollup), ('loaded', load)] %}
{{ name }}_{{ side }} as (
    select
        dt,
        count(*) as row_count,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    group by dt
),

{% endfor %}
{{ name }}_differences as (
    (select * from {{ name }}_lake except select * from {{ name }}_loaded)
    union all
    (select * from {{ name }}_loaded except select * from {{ name }}_lake)
),

{% endfor %}
differences as (
    {%- for name in loads %}
    select
        '{{ name }}' as rollup,
        dt
    from {{ name }}_differences
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from differences
