{% macro empty_lake_days(rollup, days) %}
    {%- if not days -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- call statement('filled_days', fetch_result=true) -%}
        select dt
        from {{ rollup }}
        where dt in ('{{ days | join("', '") }}')
        group by dt
    {%- endcall -%}
    {%- set filled = load_result('filled_days').table.columns[0].values() | map('string') | list -%}
    {{- return(days | reject('in', filled) | list) -}}
{% endmacro %}
