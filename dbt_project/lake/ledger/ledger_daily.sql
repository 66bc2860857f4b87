with

experiment_exposures as (
    {{ ledger_of(
        "experiment_exposure",
        ref("stg_marketplace__experiment_exposure"),
        ref("stg_marketplace__experiment_exposure_rejects"),
    ) }}
),

job_applications as (
    {{ ledger_of(
        "job_application",
        ref("stg_marketplace__job_application"),
        ref("stg_marketplace__job_application_rejects"),
    ) }}
),

job_postings as (
    {{ ledger_of(
        "job_posting",
        ref("stg_marketplace__job_posting"),
        ref("stg_marketplace__job_posting_rejects"),
    ) }}
),

job_views as (
    {{ ledger_of(
        "job_view",
        ref("stg_marketplace__job_view"),
        ref("stg_marketplace__job_view_rejects"),
    ) }}
),

searches as (
    {{ ledger_of(
        "search",
        ref("stg_marketplace__search"),
        ref("stg_marketplace__search_rejects"),
    ) }}
),

all_types as (
    select * from experiment_exposures
    union all
    select * from job_applications
    union all
    select * from job_postings
    union all
    select * from job_views
    union all
    select * from searches
)

select * from all_types
