{% macro renew_descriptions(relation, state) -%}
    {%- if state.described == described() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- for name, comment in state.comments.items() if name != config.get("partition_by") -%}
        {%- set now = model.columns[name].description | trim if name in model.columns else "" -%}
        {%- do run_query("alter table " ~ relation ~ " alter column `" ~ name ~ "` comment " ~ sql_text(now)) if now != comment -%}
    {%- endfor -%}
    {%- if config.get("persist_docs", {}).get("relation") -%}
        {%- do run_query("comment on table " ~ relation ~ " is " ~ sql_text(model.description)) -%}
    {%- endif -%}
{%- endmacro %}
