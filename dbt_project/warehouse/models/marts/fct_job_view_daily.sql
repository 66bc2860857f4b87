with

views as (
    select * from {{ ref('load_rollup_job_view_daily') }}
),

with_rates as (
    select
        -- ids
        job_id,

        -- time
        dt,

        -- measures
        views,
        viewers,
        view_ms,
        {{ ratio('view_ms', 'views') }} as view_ms_per_view,
        {{ ratio('views', 'viewers') }} as views_per_viewer
    from views
)

select * from with_rates
