{% macro swap_partitions(relation, existing, query) -%}
    {%- if config.get("partition_by") != "dt" -%}
        {{ exceptions.raise_compiler_error("the strategy swap_partitions needs `partition_by: dt`") }}
    {%- endif -%}
    {%- set published = existing is not none and existing.is_table -%}
    {%- set whole = not published or should_full_refresh() -%}
    {%- set backfill = days_asked() -%}
    {%- if backfill is not none and should_full_refresh() -%}
        {{ exceptions.raise_compiler_error("--full-refresh builds every day: leave out --vars days") }}
    {%- endif -%}

    {%- set changes = changes_since(model, {} if whole else entries_seen(relation)) -%}
    {%- if backfill is not none -%}
        {%- set days = backfill -%}
    {%- else -%}
        {%- set days = none if whole else changes.days -%}
    {%- endif -%}

    {%- if days == [] -%}
        {%- do remember_entries(relation, changes.seen) -%}
        {% call noop_statement("main", "UNCHANGED") %}{% endcall %}
        {{ return(none) }}
    {%- endif -%}

    {%- set columns = compare_columns(relation, query) if published else {"added": [], "lost": []} -%}
    {%- do refuse_lost_columns(relation, columns.lost) -%}

    {%- set directory = run_directory(relation) -%}
    {%- set beside = build_beside(relation, query, directory, days) -%}
    {%- set records = check_beside(beside) -%}

    {#- Here readers begin to see it. What was seen is remembered last: a run that is killed before is done again. -#}
    {%- if columns.lost or not published -%}
        {%- do adapter.drop_relation(existing) if existing is not none -%}
        {%- do create_published(relation, beside, table_directory(relation)) -%}
    {%- else -%}
        {%- do add_columns(relation, columns.added) -%}
    {%- endif -%}
    {%- do point_partitions(relation, directory, records.keys() | list, days) -%}
    {%- do run_query("drop table " ~ beside) -%}
    {%- do remember_entries(relation, changes.seen) if backfill is none -%}
    {#- dbt's own default for what is left out cannot be written into run_results.json. -#}
    {%- do store_raw_result(
        "main",
        message=(records | length) ~ " days, " ~ (records.values() | sum) ~ " records",
        code="OK",
        rows_affected=records.values() | sum
    ) -%}
{%- endmacro %}
