with

players as (
    select * from {{ ref('load_rollup_ab_test_daily') }}
),

players_by_variant as (
    select
        variant,
        sum(players) as players,
        sum(rounds) as rounds,
        sum(retained_1) as retained_1,
        sum(retained_7) as retained_7
    from players
    group by variant
),

with_rates as (
    select
        variant,
        players,
        rounds,
        {{ ratio('retained_1', 'players') }} as retention_1,
        {{ ratio('retained_7', 'players') }} as retention_7
    from players_by_variant
)

select * from with_rates
