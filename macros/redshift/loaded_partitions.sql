{% macro loaded_partitions(table_name) %}
    {%- call statement('loaded_partitions', fetch_result=true) -%}
        select dt, location
        from ({{ latest_load_events() }}) as latest
        where event = 'loaded' and table_name = '{{ table_name }}'
    {%- endcall -%}
    {%- set locations = {} -%}
    {%- for row in load_result('loaded_partitions').table.rows -%}
        {%- do locations.update({row[0] | string: row[1]}) -%}
    {%- endfor -%}
    {{- return(locations) -}}
{% endmacro %}
