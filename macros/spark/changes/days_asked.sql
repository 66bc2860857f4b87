{% macro days_asked() -%}
    {%- set asked = var("days", none) -%}
    {%- if asked is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set wrong = "--vars days: " ~ asked ~ " is not [from, to] with two ISO dates, as in '{days: [2026-01-02, 2026-01-31]}'" -%}
    {%- if asked is string or asked is not sequence or asked | length != 2 -%}
        {{ exceptions.raise_compiler_error(wrong) }}
    {%- endif -%}
    {%- set iso_date = "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$" -%}
    {%- for day in asked if not modules.re.match(iso_date, day | string) -%}
        {{ exceptions.raise_compiler_error(wrong) }}
    {%- endfor -%}
    {%- set first, last = modules.datetime.date.fromisoformat(asked[0] | string), modules.datetime.date.fromisoformat(asked[1] | string) -%}
    {%- set days = [] -%}
    {%- for n in range((last - first).days + 1) -%}
        {%- do days.append((first + modules.datetime.timedelta(days=n)).isoformat()) -%}
    {%- endfor -%}
    {%- if not days -%}
        {{ exceptions.raise_compiler_error(wrong ~ ": the first is after the last") }}
    {%- endif -%}
    {{ return(days) }}
{%- endmacro %}
