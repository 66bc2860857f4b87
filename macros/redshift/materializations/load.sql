{% materialization load, adapter='redshift' %}
    {%- set rollup = load_source() -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set is_new = existing_relation is none -%}
    {%- set is_rebuild = not is_new and should_full_refresh() -%}
    {%- if not config.get('contract').enforced or 'dt' not in model.columns -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ": a load takes its table's types from its contract: enforce one,"
            ~ " with a column dt"
        ) -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=false) }}
    {{ run_hooks(pre_hooks, inside_transaction=true) }}

    {#- 1. compare -#}
    {%- set columns = stage_columns(rollup) -%}
    {%- do check_load_columns(columns, sql) -%}
    {%- set recorded = loaded_partitions(this.identifier) -%}
    {%- set added = [] if is_new or is_rebuild else add_load_columns(existing_relation) -%}
    {%- set current = {} if is_new or is_rebuild or added else recorded -%}
    {%- set plan = plan_load(rollup, current) -%}
    {{ adapter.commit() }}

    {#- 2. make, widen or rebuild the table -#}
    {%- set build_relation = make_intermediate_relation(target_relation)
        if is_rebuild else target_relation -%}
    {%- if is_rebuild -%}
        {%- do send([
            'drop table if exists ' ~ build_relation,
            'begin',
            create_load_table(build_relation),
        ]) -%}
    {%- elif is_new -%}
        {%- do send([
            'begin',
            create_load_table(target_relation),
            record_days('reset', recorded),
            'commit',
        ]) -%}
    {%- elif added -%}
        {%- do send(['begin'] + added + [record_days('reset', recorded), 'commit']) -%}
    {%- endif -%}

    {#- 3. load: a transaction a day; a rebuild is one transaction as a whole -#}
    {%- set total = namespace(rows=0) -%}
    {%- for day in plan.changed -%}
        {%- set total.rows = total.rows + load_day(
            build_relation, columns, sql, day, plan.locations[day],
            transaction=not is_rebuild
        ) -%}
    {%- endfor -%}
    {%- if plan.gone -%}
        {%- do send([
            'begin',
            'lock table ' ~ target_relation.include(database=false),
            "delete from " ~ target_relation ~ " where dt in ('" ~ plan.gone | join("', '") ~ "')",
            record_days('removed', plan.gone),
            'commit',
        ]) -%}
    {%- endif -%}
    {%- if is_rebuild -%}
        {%- set backup_relation = make_backup_relation(target_relation, 'table') -%}
        {%- do send([
            record_days('removed', recorded.keys() | reject('in', plan.locations) | list),
            'alter table ' ~ target_relation ~ ' rename to ' ~ backup_relation.identifier,
            'alter table ' ~ build_relation ~ ' rename to ' ~ target_relation.identifier,
            'drop table ' ~ backup_relation ~ ' cascade',
            'commit',
        ]) -%}
    {%- endif -%}

    {#- 4. a commit that was lost together with its connection shows here -#}
    {%- set recorded = loaded_partitions(this.identifier) -%}
    {%- for day in plan.changed if recorded.get(day) != plan.locations[day] -%}
        {%- do exceptions.raise_compiler_error(
            this.identifier ~ ": " ~ day ~ " was loaded, but its commit was lost: run it again"
        ) -%}
    {%- endfor -%}

    {%- set report = (
        plan.changed | length ~ ' days loaded, ' ~ total.rows ~ ' rows, '
        ~ plan.gone | length ~ ' removed'
    ) -%}
    {%- call noop_statement('main', report, 'LOAD', total.rows) -%}
        {{ sql }}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=true) }}
    {%- do apply_grants(
        target_relation, config.get('grants'),
        should_revoke=should_revoke(existing_relation, full_refresh_mode=is_rebuild)
    ) -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=false) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
