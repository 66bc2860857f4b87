{% macro fits_contract(data_type) -%}
    {%- set contract = contract_of(data_type) -%}
    (
        _corrupt_record is null
        {%- for path in contract.event_id %}
        and {{ path }} is not null
        {%- endfor %}
        {%- for column in contract.columns %}
        {%- set meta = column.config.meta %}
        {%- if meta.logical_type == "timestamp" %}
        and (
            {{ "`" ~ column.name ~ "` is null or" if not meta.required }}
            {{ utc_timestamp(column.name, meta.time_unit) }} is not null
        )
        {%- elif meta.required %}
        and `{{ column.name }}` is not null
        {%- endif %}
        {%- endfor %}
        -- always true: reads every field, since Spark checks only the fields that a query reads
        and 0 <= 0
        {%- for column in contract.columns %} + int(`{{ column.name }}` is null){% endfor %}
    )
{%- endmacro %}
