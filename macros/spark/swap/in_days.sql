{% macro in_days(days) -%}
    dt in (
        {%- for day in days -%}
        date '{{ day }}'{{ ", " if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}
