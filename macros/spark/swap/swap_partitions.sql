{% macro swap_partitions(relation, existing, query) -%}
    {%- if config.get("partition_by") != "dt" -%}
        {{ exceptions.raise_compiler_error("the strategy swap_partitions needs `partition_by: dt`") }}
    {%- endif -%}
    {%- set published = existing is not none and existing.is_table -%}
    {%- set backfill = days_asked() -%}
    {%- if backfill is not none and should_full_refresh() -%}
        {{ exceptions.raise_compiler_error("--full-refresh builds every day: leave out --vars days") }}
    {%- endif -%}

    {%- set state = table_state(relation if published else none) -%}
    {#- A table that no run is known to have published was left by one that was killed as it made it. -#}
    {%- set whole = not state.published or should_full_refresh() -%}
    {%- set sql = sql_hash(model, query) -%}
    {%- set changes = changes_since(model, {"seen": {}, "open": {}} if whole else state) -%}
    {%- if backfill is not none -%}
        {%- set days = days_left(backfill, state, sql) -%}
    {%- elif whole -%}
        {%- set days = none -%}
    {%- else -%}
        {%- set days = (changes.days + days_of_new_sql(relation, state, sql)) | unique | sort -%}
    {%- endif -%}

    {%- if days == [] -%}
        {%- do renew_descriptions(relation, state) -%}
        {%- set facts = seen_facts(changes, state) -%}
        {%- do facts.update({"described": described()}) if state.described != described() -%}
        {%- do remember(relation, facts) -%}
        {% call noop_statement("main", "UNCHANGED") %}{% endcall %}
        {{ return(none) }}
    {%- endif -%}

    {%- set columns = compare_columns(state.columns, query) -%}
    {%- do refuse_lost_columns(relation, columns.lost) -%}

    {#- Many days are built some at a time: each batch is published, and a backfill goes on behind the last. -#}
    {%- set batches = days | batch(config.get("batch_days", 31)) | list if days is not none else [none] -%}
    {%- set all_records = {} -%}
    {%- for some in batches -%}
        {%- set run = run_name() ~ ("-%04d" % loop.index if batches | length > 1 else "") -%}
        {%- set beside = build_beside(relation, query, run, some) -%}
        {%- set records = check_beside(beside) -%}

        {#- Here readers begin to see it. What was seen is remembered last: a run that is killed before is done again. -#}
        {%- do refuse_if_overtaken(relation, beside, state.published, hold_publication(relation)) -%}
        {%- set is_new = loop.first and not published -%}
        {%- if is_new -%}
            {%- do adapter.drop_relation(existing) if existing is not none -%}
            {%- do create_published(relation, beside, table_directory(relation)) -%}
        {%- elif loop.first and columns.lost -%}
            {%- set is_new = not take_shape(relation, beside, table_directory(relation)) -%}
        {%- elif loop.first -%}
            {%- do renew_descriptions(relation, state) -%}
            {%- do add_columns(relation, columns.added) -%}
        {%- endif -%}
        {%- do point_partitions(
            relation, run_directory(relation, run), records.keys() | list, some,
            published=[] if is_new else days_of(relation)
        ) -%}
        {%- set facts = {"published": run, "run." ~ run: records.keys() | join(" "), "described": described()} -%}
        {%- if backfill is not none -%}
            {%- do facts.update({"backfill": "" if loop.last else backfill_mark(backfill, sql) ~ some[-1]}) -%}
        {%- elif loop.last -%}
            {%- do facts.update(seen_facts(changes, state)) -%}
            {%- do facts.update({"sql": sql}) -%}
        {%- endif -%}
        {%- do remember(relation, facts) -%}
        {%- do release_publication(relation) -%}
        {%- do run_query("drop table if exists " ~ beside) -%}
        {%- do state.update({"published": run}) -%}
        {%- do all_records.update(records) -%}
    {%- endfor -%}

    {#- dbt's own default for what is left out cannot be written into run_results.json. -#}
    {%- do store_raw_result(
        "main",
        message=(all_records | length) ~ " days, " ~ (all_records.values() | sum) ~ " records",
        code="OK",
        rows_affected=all_records.values() | sum
    ) -%}
{%- endmacro %}
