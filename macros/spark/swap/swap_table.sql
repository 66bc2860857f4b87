{% macro swap_table(relation, existing, query, key=none) -%}
    {%- if config.get("partition_by") -%}
        {{ exceptions.raise_compiler_error(
            this ~ " is published as a whole and has no partitions: leave `partition_by` out, or build it by days with"
            ~ " `materialized: incremental` and `incremental_strategy: swap_partitions`"
        ) }}
    {%- endif -%}
    {%- set published = existing is not none and existing.is_table -%}
    {%- set state = table_state(relation if published else none) -%}
    {%- set columns = compare_columns(state.columns, query) -%}
    {%- do refuse_lost_columns(relation, columns.lost) -%}

    {%- set run = run_name() -%}
    {%- set directory = run_directory(relation, run) -%}
    {%- set beside = build_beside(relation, query, run) -%}
    {%- set records = check_beside(beside, key) -%}

    {%- do refuse_if_overtaken(relation, beside, state.published, hold_publication(relation)) -%}
    {%- if not published -%}
        {%- do adapter.drop_relation(existing) if existing is not none -%}
        {%- do create_published(relation, beside, directory) -%}
    {%- elif columns.lost -%}
        {%- do take_shape(relation, beside, directory) -%}
    {%- else -%}
        {%- do renew_descriptions(relation, state) -%}
        {%- do add_columns(relation, columns.added) -%}
        {%- do run_query("alter table " ~ relation ~ " set location '" ~ directory ~ "'") -%}
    {%- endif -%}
    {%- do remember(relation, {"published": run, "run." ~ run: "all", "described": described()}) -%}
    {%- do release_publication(relation) -%}
    {%- do run_query("drop table if exists " ~ beside) -%}
    {#- dbt's own default for what is left out cannot be written into run_results.json. -#}
    {%- do store_raw_result(
        "main",
        message=(records.values() | sum) ~ " records",
        code="OK",
        rows_affected=records.values() | sum
    ) -%}
{%- endmacro %}
