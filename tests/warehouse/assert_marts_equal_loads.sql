-- A mart adds nothing and drops nothing: its totals of a day are its load's.
{%- set pairs = [
    (ref('load_rollup_job_view_daily'), ref('fct_job_view_daily'), ['views', 'viewers', 'view_ms']),
    (
        ref('load_rollup_funnel_daily'),
        ref('mart_funnel_daily'),
        ['searches', 'views', 'applications'],
    ),
    (
        ref('load_rollup_experiment_daily'),
        ref('mart_experiment_daily'),
        ['exposures', 'exposed_users', 'viewers', 'applicants'],
    ),
] %}

with

totals as (
    {%- for load, mart, measures in pairs %}
    {%- for relation, sign in [(load, 1), (mart, -1)] %}
    {%- for measure in ['1'] + measures %}
    select
        '{{ mart.identifier }}' as mart_name,
        '{{ measure }}' as measure,
        dt,
        {{ sign }} * sum({{ measure }}) as total
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
        mart_name,
        measure,
        dt,
        sum(total) as difference
    from totals
    group by mart_name, measure, dt
    having sum(total) != 0
)

select * from differences
