{% macro swap_table(relation, existing, query) -%}
    {%- set published = existing is not none and existing.is_table -%}
    {%- set columns = compare_columns(relation, query) if published else {"added": [], "lost": []} -%}
    {%- do refuse_lost_columns(relation, columns.lost) -%}

    {%- set directory = run_directory(relation) -%}
    {%- set beside = build_beside(relation, query, directory) -%}
    {%- set records = check_beside(beside) -%}

    {%- if columns.lost or not published -%}
        {%- do adapter.drop_relation(existing) if existing is not none -%}
        {%- do create_published(relation, beside, directory) -%}
    {%- else -%}
        {%- do add_columns(relation, columns.added) -%}
        {%- do run_query("alter table " ~ relation ~ " set location '" ~ directory ~ "'") -%}
    {%- endif -%}
    {%- do run_query("drop table " ~ beside) -%}
    {#- dbt's own default for what is left out cannot be written into run_results.json. -#}
    {%- do store_raw_result(
        "main",
        message=(records.values() | sum) ~ " records",
        code="OK",
        rows_affected=records.values() | sum
    ) -%}
{%- endmacro %}
