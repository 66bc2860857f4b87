{%- set controls = "'" ~ var('control_variants') | join("', '") ~ "'" -%}

with

outcomes as (
    select * from {{ ref('load_rollup_experiment_daily') }}
),

with_rates as (
    select
        *,
        variant in ({{ controls }}) as is_control,
        {{ ratio('viewers', 'exposed_users') }} as view_rate,
        {{ ratio('applicants', 'exposed_users') }} as conversion_rate
    from outcomes
),

controls as (
    select * from with_rates
    where is_control
),

beside_control as (
    select
        with_rates.*,
        controls.conversion_rate as control_conversion_rate,
        with_rates.conversion_rate
        - controls.conversion_rate as difference,
        {{ ratio(
            '(with_rates.applicants + controls.applicants)',
            '(with_rates.exposed_users + controls.exposed_users)'
        ) }} as pooled_rate,
        {{ ratio('1', 'with_rates.exposed_users') }} as inverse_users,
        {{ ratio('1', 'controls.exposed_users') }} as inverse_control_users
    from with_rates
    left join controls
        on
            with_rates.dt = controls.dt
            and with_rates.experiment_id = controls.experiment_id
            and not with_rates.is_control
),

with_errors as (
    select
        *,
        sqrt(
            pooled_rate * (1 - pooled_rate)
            * (inverse_users + inverse_control_users)
        ) as pooled_error,
        sqrt(
            conversion_rate * (1 - conversion_rate) * inverse_users
            + control_conversion_rate * (1 - control_conversion_rate)
            * inverse_control_users
        ) as unpooled_error
    from beside_control
),

compared as (
    select
        -- ids
        experiment_id,
        variant,
        is_control,

        -- time
        dt,

        -- measures
        exposures,
        exposed_users,
        viewers,
        applicants,
        view_rate,
        conversion_rate,
        control_conversion_rate,
        difference as conversion_difference,
        difference / nullif(control_conversion_rate, 0) as conversion_lift,
        difference - 1.96 * unpooled_error as difference_low,
        difference + 1.96 * unpooled_error as difference_high,
        difference / nullif(pooled_error, 0) as z_score,
        abs(difference) > 1.96 * pooled_error as is_significant
    from with_errors
)

select * from compared
