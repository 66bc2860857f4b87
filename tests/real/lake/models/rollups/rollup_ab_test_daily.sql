with

players as (
    select * from {{ ref("stg_games__ab_test_player") }}
),

players_by_variant as (
    select
        dt,
        variant,
        count(*) as players,
        sum(rounds) as rounds,
        count_if(is_retained_1) as retained_1,
        count_if(is_retained_7) as retained_7
    from players
    group by dt, variant
)

select * from players_by_variant
