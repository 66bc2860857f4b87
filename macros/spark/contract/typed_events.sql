{% macro typed_events(data_type) -%}
    {%- set contract = contract_of(data_type) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by dt{% for path in contract.event_id %}, {{ path }}{% endfor %}
                order by _metadata.file_name
                {%- for column in contract.columns %}, {{ sortable(column) }}{% endfor %}
            ) as nth_landed
        from {{ source("raw", data_type) }}
        where {{ fits_contract(data_type) }}
    )
    where nth_landed = 1
{%- endmacro %}
