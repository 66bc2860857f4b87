{% macro run_name() -%}
    {{ return(run_started_at.strftime("%Y%m%dT%H%M%S") ~ "-" ~ invocation_id[:8]) }}
{%- endmacro %}
