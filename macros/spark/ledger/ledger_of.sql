{% macro ledger_of(data_type, staged, rejected) -%}
    {%- set ids = contract_of(data_type).event_id -%}
    select
        '{{ data_type }}' as data_type,
        dt,
        sum(landed) as landed,
        sum(staged) as staged,
        sum(rejected) as rejected,
        sum(duplicates) as duplicates
    from (
        select
            dt,
            count(*) as landed,
            0 as staged,
            0 as rejected,
            count_if(fits) - count(distinct if(fits, event_id, null)) as duplicates
        from (
            select
                dt,
                {{ fits_contract(data_type) }} as fits,
                struct({{ ids | join(", ") or "dt" }}) as event_id
            from {{ source("raw", data_type) }}
        )
        group by dt
        union all
        select dt, 0, count(*), 0, 0 from {{ staged }} group by dt
        union all
        select dt, 0, 0, count(*), 0 from {{ rejected }} group by dt
    )
    group by dt
{%- endmacro %}
