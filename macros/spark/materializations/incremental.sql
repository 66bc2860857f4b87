{% materialization incremental, adapter="spark", supported_languages=["sql"] %}
    {%- if config.get("incremental_strategy") != "swap_partitions" -%}
        {{ return(dbt.materialization_incremental_spark()) }}
    {%- endif -%}

    {%- set existing = load_relation(this) -%}
    {%- set relation = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {%- do swap_partitions(relation, existing, held_to_contract(compiled_code)) -%}
    {%- do apply_grants(relation, config.get("grants"), should_revoke=should_revoke(existing, full_refresh_mode=False)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}
