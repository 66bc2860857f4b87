{% macro record_days(event, days) %}
    {%- if days -%}
        insert into {{ load_log() }}
            (table_name, dt, event, row_count, invocation_id)
        values
        {%- for day in days %}
            ('{{ this.identifier }}', '{{ day }}', '{{ event }}', 0, '{{ invocation_id }}')
            {{- "," if not loop.last }}
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
