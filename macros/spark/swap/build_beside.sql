{% macro build_beside(relation, query, directory, days=none) -%}
    {%- set beside = relation.incorporate(path={"identifier": relation.identifier ~ "__building"}) -%}
    {%- do run_query("drop table if exists " ~ beside) -%}
    {#- Rebalanced by the day: about one file a day, more where a day is large, not one a task and day. -#}
    {%- call statement("main") -%}
        create table {{ beside }}
        using parquet
        {{ "partitioned by (dt)" if config.get("partition_by") }}
        location '{{ directory }}'
        as
        select /*+ rebalance{{ "(dt)" if config.get("partition_by") }} */ *
        from (
            {{ query }}
        )
        {{ "where " ~ in_days(days) if days is not none }}
    {%- endcall -%}
    {{ return(beside) }}
{%- endmacro %}
