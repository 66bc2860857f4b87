{% materialization table, adapter="spark", supported_languages=["sql"] %}
    {%- set existing = load_relation(this) -%}
    {%- set relation = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {%- do swap_table(relation, existing, held_to_contract(compiled_code)) -%}
    {%- do apply_grants(relation, config.get("grants"), should_revoke=should_revoke(existing, full_refresh_mode=False)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}
