{% macro view_definition(query) -%}
    {%- set columns = [] -%}
    {%- set output = [] -%}
    {%- for row in run_query("describe query " ~ query) -%}
        {%- do columns.append(row[0]) -%}
        {%- do output.append(row.values() | join(" ")) -%}
    {%- endfor -%}
    {%- set described -%}
        {%- if config.persist_column_docs() -%}
            ({{ get_persist_docs_column_list(model.columns, columns) }})
        {%- endif %}
        {{ comment_clause() }}
    {%- endset -%}
    {%- set hash = local_md5(([query, described] + output) | join("\n")) -%}
    {{ return({
        "hash": hash,
        "text": described ~ " tblproperties ('datacore.sql' = '" ~ hash ~ "') as " ~ query
    }) }}
{%- endmacro %}
