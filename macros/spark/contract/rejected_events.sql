{% macro rejected_events(data_type) -%}
    {%- set contract = contract_of(data_type) -%}
    with

    misfits as (
        select
            dt,
            hour,
            {%- if contract.event_id | length == 1 %}
            cast({{ contract.event_id[0] }} as string) as event_id,
            {%- else %}
            to_json(array({{ contract.event_id | join(", ") }})) as event_id,
            {%- endif %}
            {{ misfit(data_type) }} as misfit,
            coalesce(
                _corrupt_record,
                to_json(struct(
                    {%- for column in contract.columns %}
                    `{{ column.name }}`{{ "," if not loop.last }}
                    {%- endfor %}
                ))
            ) as record
        from {{ source("raw", data_type) }}
        where not {{ fits_contract(data_type) }}
    )

    select
        event_id,
        dt,
        hour,
        misfit.field,
        misfit.reason,
        misfit.value,
        record
    from misfits
{%- endmacro %}
