{% materialization view, adapter="spark" %}
    {%- set existing = load_relation(this) -%}
    {%- if existing is not none and not existing.is_view -%}
        {{ return(create_or_replace_view()) }}
    {%- endif -%}
    {%- set relation = this.incorporate(type="view") -%}
    {{ run_hooks(pre_hooks) }}
    {%- do publish_view(relation, existing, compiled_code) -%}
    {%- do apply_grants(relation, config.get("grants"), should_revoke=should_revoke(existing, full_refresh_mode=False)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}
