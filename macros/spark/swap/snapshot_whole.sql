{% macro snapshot_whole(relation, strategy, query, columns) -%}
    {%- set changes = snapshot_staging_table(strategy, query, relation) -%}
    {%- set have = columns_of(relation) -%}
    {%- set came = {} -%}
    {%- for name, type in columns_of("query " ~ changes).items()
        if name != "dbt_change_type" and not name.startswith("dbt_unique_key") -%}
        {%- do came.update({name: type}) -%}
    {%- endfor -%}
    {%- set every = dict(have, **came) -%}
    {%- set id, until = columns.dbt_scd_id, columns.dbt_valid_to -%}
    with

    changes as (
        {{ changes }}
    ),

    closed as (
        select
            {{ id }},
            {{ until }}
        from changes
        where dbt_change_type in ('update', 'delete')
    )

    select
        {%- for name, type in every.items() %}
        {%- if name == until %}
        if(
            closed.{{ id }} is not null
            and (
                kept.{{ until }} is null
                {{ "or kept." ~ until ~ " = " ~ config.get("dbt_valid_to_current") if config.get("dbt_valid_to_current") }}
            ),
            closed.{{ until }},
            kept.{{ until }}
        ) as {{ until }}
        {%- else %}
        {{ "kept.`" ~ name ~ "`" if name in have else "cast(null as " ~ type ~ ") as `" ~ name ~ "`" }}
        {%- endif %}
        {{- "," if not loop.last }}
        {%- endfor %}
    from {{ relation }} as kept
    left join closed on kept.{{ id }} = closed.{{ id }}
    union all
    select
        {%- for name, type in every.items() %}
        {{ "`" ~ name ~ "`" if name in came else "cast(null as " ~ type ~ ") as `" ~ name ~ "`" }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from changes
    where
        dbt_change_type = 'insert'
        and {{ id }} not in (select {{ id }} from {{ relation }})
{%- endmacro %}
