{% macro utc_timestamp(name, time_unit) -%}
    {%- if time_unit == "iso8601" -%}
        try_cast(`{{ name }}` as timestamp)
    {%- else -%}
        {%- set units = {
            "s": ("timestamp_seconds", 1),
            "ms": ("timestamp_millis", 1000),
            "us": ("timestamp_micros", 1000000),
        } -%}
        {%- set function, scale = units[time_unit] -%}
        {#- Beyond the years 1 to 9999 Spark's functions fail the whole query instead of one record. -#}
        case
            when `{{ name }}` between {{ -62135596800 * scale }} and {{ 253402300800 * scale - 1 }}
                then {{ function }}(`{{ name }}`)
        end
    {%- endif -%}
{%- endmacro %}
