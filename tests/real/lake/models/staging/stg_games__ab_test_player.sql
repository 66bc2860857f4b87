with

players as (
    {{ typed_events("ab_test_player") }}
),

renamed as (
    select
        -- ids
        userid as player_id,

        -- time
        dt,

        -- measures
        sum_game_rounds as rounds,
        retention_1 as is_retained_1,
        retention_7 as is_retained_7,

        -- text
        version as variant
    from players
)

select * from renamed
