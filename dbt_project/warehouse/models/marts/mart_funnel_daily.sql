with

funnel as (
    select * from {{ ref('load_rollup_funnel_daily') }}
),

with_rates as (
    select
        -- ids
        category,

        -- time
        dt,

        -- measures
        searches,
        searchers,
        views,
        viewers,
        applications,
        applicants,
        {{ ratio('views', 'searches') }} as views_per_search,
        {{ ratio('applications', 'views') }} as applications_per_view,
        {{ ratio('viewers', 'searchers') }} as viewers_per_searcher,
        {{ ratio('applicants', 'viewers') }} as applicants_per_viewer
    from funnel
)

select * from with_rates
