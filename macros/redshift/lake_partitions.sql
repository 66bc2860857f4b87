{% macro lake_partitions(rollup) %}
    {#- svv_external_partitions lives on the leader node alone: it cannot be
        joined with a table, so the comparison is made here, not in SQL -#}
    {%- call statement('lake_partitions', fetch_result=true) -%}
        select "values" as partition_values, location
        from svv_external_partitions
        where
            schemaname = '{{ rollup.schema }}'
            and tablename = '{{ rollup.identifier }}'
    {%- endcall -%}
    {%- set locations = {} -%}
    {%- for row in load_result('lake_partitions').table.rows -%}
        {%- set partition = fromjson(row[0], []) -%}
        {%- if partition | length != 1
            or not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', partition[0]) -%}
            {%- do exceptions.raise_compiler_error(
                rollup.identifier ~ ": partition " ~ row[0] ~ " at " ~ row[1]
                ~ " is not one day: a roll-up that is loaded is partitioned by dt alone"
            ) -%}
        {%- endif -%}
        {%- do locations.update({partition[0]: row[1] | trim}) -%}
    {%- endfor -%}
    {{- return(locations) -}}
{% endmacro %}
