{% macro misfit(data_type) -%}
    {%- set contract = contract_of(data_type) -%}
    {%- set found = "named_struct('field', '{}', 'reason', '{}', 'value', {})" -%}
    coalesce(
        {%- for column in contract.columns %}
        {%- set landed = "get_json_object(_corrupt_record, '$[\\'" ~ column.name ~ "\\']')" %}
        case
            when _corrupt_record is null then null
            when `{{ column.name }}` is null and {{ landed }} is not null
                then {{ found.format(column.name, "type", landed) }}
            {%- if "<" in column.data_type %}
            when {{ landed }} is not null and from_json(
                concat('{"value": ', {{ landed }}, '}'),
                'value {{ column.data_type }}, misfit string',
                map('columnNameOfCorruptRecord', 'misfit')
            ).misfit is not null
                then {{ found.format(column.name, "type", landed) }}
            {%- endif %}
        end,
        {%- endfor %}
        case
            when _corrupt_record is not null
                then named_struct('field', cast(null as string), 'reason', 'type', 'value', cast(null as string))
        end
        {%- for column in contract.columns %}
        {%- set meta = column.config.meta %}
        {%- if meta.required %},
        case when `{{ column.name }}` is null then {{ found.format(column.name, "missing", "cast(null as string)") }} end
        {%- endif %}
        {%- if meta.logical_type == "timestamp" %},
        case
            when `{{ column.name }}` is not null and {{ utc_timestamp(column.name, meta.time_unit) }} is null
                then {{ found.format(column.name, "type", "cast(`" ~ column.name ~ "` as string)") }}
        end
        {%- endif %}
        {%- endfor %}
        {%- for path in contract.event_id if "." in path %},
        case when {{ path }} is null then {{ found.format(path, "missing", "cast(null as string)") }} end
        {%- endfor %}
    )
{%- endmacro %}
