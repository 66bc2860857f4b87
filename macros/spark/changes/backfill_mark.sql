{% macro backfill_mark(asked, sql) -%}
    {{ return(asked[0] ~ ".." ~ asked[-1] ~ " " ~ sql[:12] ~ " ") }}
{%- endmacro %}
