{% macro contract_of(data_type) -%}
    {%- if not execute -%}
        {{ return({"columns": [], "event_id": [], "topic": none}) }}
    {%- endif -%}
    {%- for table in graph.sources.values()
        if table.source_name == "raw" and table.name == data_type -%}
        {%- set columns =
            table.columns.values()
            | rejectattr("name", "in", ["_corrupt_record", "dt", "hour"])
            | list
        -%}
        {{ return({
            "columns": columns,
            "event_id": table.config.meta.event_id,
            "topic": table.config.meta.topic,
        }) }}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error(
        "no contract for data type '" ~ data_type
        ~ "': write contracts/" ~ data_type ~ ".odcs.yaml and run `datacore type sources`"
    ) }}
{%- endmacro %}
