{% macro create_published(relation, beside, location) -%}
    {%- set columns = columns_of(beside) -%}
    {%- set documented = validate_doc_columns(relation, model.columns, columns | list) -%}
    {%- call statement("create_published") -%}
        create table {{ relation }} (
            {%- for name, type in columns.items() %}
            {%- set comment = documented[name].description if name in documented else "" %}
            `{{ name }}` {{ type }} comment {{ sql_text(comment) }}{{ "," if not loop.last }}
            {%- endfor %}
        )
        using parquet
        {{ "partitioned by (dt)" if config.get("partition_by") }}
        location '{{ location }}'
        {{ "comment " ~ sql_text(model.description) if config.get("persist_docs", {}).get("relation") and model.description }}
    {%- endcall -%}
{%- endmacro %}
