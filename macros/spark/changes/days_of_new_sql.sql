{% macro days_of_new_sql(relation, state, sql) -%}
    {%- set policy = config.get("on_sql_change", "all") | string -%}
    {%- if policy not in ("all", "new days") and not modules.re.match("^\\d{4}-\\d\\d-\\d\\d$", policy) -%}
        {{ exceptions.raise_compiler_error(
            "on_sql_change: " ~ policy ~ " is not `all`, `new days` or an ISO date from which on days are built again"
        ) }}
    {%- endif -%}
    {%- if not state.sql or state.sql == sql or policy == "new days" -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set days = days_of(relation) -%}
    {{ return(days if policy == "all" else days | select("ge", policy) | list) }}
{%- endmacro %}
