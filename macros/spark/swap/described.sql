{% macro described() -%}
    {%- set said = [model.description if config.get("persist_docs", {}).get("relation") else ""] -%}
    {%- for name, column in model.columns.items() -%}
        {%- do said.append(name ~ ": " ~ column.description) -%}
    {%- endfor -%}
    {{ return(local_md5(said | join("\n"))) }}
{%- endmacro %}
