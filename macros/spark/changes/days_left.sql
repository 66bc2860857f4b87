{% macro days_left(asked, state, sql) -%}
    {%- set mark = backfill_mark(asked, sql) -%}
    {%- if not state.backfill.startswith(mark) -%}
        {{ return(asked) }}
    {%- endif -%}
    {%- set done = state.backfill[mark | length:] -%}
    {%- do log(this ~ ": the backfill goes on behind " ~ done, info=true) -%}
    {{ return(asked | select("gt", done) | list) }}
{%- endmacro %}
