{% macro plan_load(rollup, current) %}
    {%- if flags.EMPTY -%}
        {{- return({'changed': [], 'gone': [], 'locations': {}}) -}}
    {%- endif -%}
    {%- set locations = lake_partitions(rollup) -%}
    {%- set changed = [] -%}
    {%- for day in locations | sort if current.get(day) != locations[day] -%}
        {%- do changed.append(day) -%}
    {%- endfor -%}
    {%- set gone = current.keys() | reject('in', locations) | sort -%}
    {%- if gone and not locations -%}
        {%- do exceptions.raise_compiler_error(
            rollup ~ " has no day at all, but " ~ gone | length ~ " are loaded: that looks like a"
            ~ " wrong catalog, so they stay. If they are meant to go: dbt build --full-refresh"
            ~ " --select " ~ model.name
        ) -%}
    {%- endif -%}
    {{- return({
        'changed': changed,
        'gone': gone,
        'locations': locations,
    }) -}}
{% endmacro %}
