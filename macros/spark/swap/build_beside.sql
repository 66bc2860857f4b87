{% macro build_beside(relation, query, run, days=none) -%}
    {%- do drop_left_beside(relation) -%}
    {%- set name = relation.identifier ~ "__building_" ~ run | lower | replace("-", "_") -%}
    {%- set beside = relation.incorporate(path={"identifier": name}) -%}
    {%- set sort_by = config.get("sort_by") -%}
    {#- Rebalanced by the day: files of the session's advisory size, and not one a task and day. -#}
    {%- call statement("main") -%}
        create table {{ beside }}
        using parquet
        options (compression 'zstd')
        {{ "partitioned by (dt)" if config.get("partition_by") }}
        location '{{ run_directory(relation, run) }}'
        as
        select /*+ rebalance{{ "(dt)" if config.get("partition_by") }} */ *
        from (
            {{ query }}
        )
        {{ "where " ~ in_days(days) if days is not none }}
        {% if sort_by -%}
        sort by {{ "dt, " if config.get("partition_by") }}{{ sort_by if sort_by is string else sort_by | join(", ") }}
        {%- endif %}
    {%- endcall -%}
    {{ return(beside) }}
{%- endmacro %}
