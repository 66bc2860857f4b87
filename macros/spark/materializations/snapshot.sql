{% materialization snapshot, adapter="spark", supported_languages=["sql"] %}
    {%- if config.get("file_format", "parquet") != "parquet" -%}
        {{ return(dbt.materialization_snapshot_spark()) }}
    {%- endif -%}

    {%- set existing = load_relation(this) -%}
    {%- set relation = this.incorporate(type="table") -%}
    {%- set published = existing is not none and existing.is_table -%}
    {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
    {%- set strategy =
        strategy_dispatch(config.get("strategy"))(model, "snapshotted_data", "source_data", model.config, published)
    -%}
    {{ run_hooks(pre_hooks) }}
    {%- if published -%}
        {%- do adapter.assert_valid_snapshot_target_given_strategy(relation, columns, strategy) -%}
        {%- set query = snapshot_whole(relation, strategy, compiled_code, columns) -%}
    {%- else -%}
        {%- set query = build_snapshot_table(strategy, compiled_code) -%}
    {%- endif -%}
    {%- do swap_table(relation, existing, query, key=columns.dbt_scd_id) -%}
    {%- do apply_grants(relation, config.get("grants"), should_revoke=should_revoke(existing, full_refresh_mode=False)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}
