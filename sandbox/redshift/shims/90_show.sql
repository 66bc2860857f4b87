-- SHOW TABLES, COLUMNS, SCHEMAS, GRANTS (dbt-redshift with `datasharing: true`).

create function rs.show_tables(in_database text, in_schema text, pattern text)
returns table (
    database_name varchar, schema_name varchar, table_name varchar, table_type varchar,
    table_acl varchar, remarks varchar, owner varchar, last_altered_time timestamp,
    last_modified_time timestamp, dist_style varchar, table_subtype varchar
)
language sql stable as $$
    select
        current_database(),
        n.nspname,
        c.relname,
        case when c.relkind = 'v' then 'VIEW' else 'TABLE' end,
        null,
        obj_description(c.oid, 'pg_class'),
        pg_get_userbyid(c.relowner),
        null::timestamp,
        case when c.relkind = 'r' then rs.last_modified(c.oid) end,
        coalesce(a.diststyle, ''),
        case
            when m.name is not null then 'MATERIALIZED VIEW'
            when c.relkind = 'v' then 'REGULAR VIEW'
            else 'REGULAR TABLE'
        end
    from pg_class as c
    inner join pg_namespace as n on c.relnamespace = n.oid
    left join rs.materialized_view as m on n.nspname = m.schema_name and c.relname = m.name
    left join rs.table_attribute as a on c.oid = a.oid
    where
        n.nspname = in_schema
        and c.relkind in ('r', 'v')
        and not starts_with(c.relname, 'mv_tbl__')
        and c.relname like coalesce(pattern, '%')
        and (in_database is null or in_database = current_database())
        and n.nspname not in (select name from rs.external_schema)
    union all
    select
        current_database(), schema_name, name, 'EXTERNAL TABLE',
        null, null, null, null::timestamp, null::timestamp, '', 'EXTERNAL TABLE'
    from rs.external_table
    where schema_name = in_schema and name like coalesce(pattern, '%')
$$;

create function rs.show_columns(in_schema text, in_table text)
returns table (
    database_name varchar, schema_name varchar, table_name varchar, column_name varchar,
    ordinal_position int, column_default varchar, is_nullable varchar, data_type varchar,
    character_maximum_length int, numeric_precision int, numeric_scale int, remarks varchar
)
language sql stable as $$
    select
        table_catalog, table_schema, table_name, column_name, ordinal_position, column_default,
        is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale,
        remarks
    from pg_catalog.svv_columns
    where table_schema = in_schema and table_name = in_table
    order by ordinal_position
$$;

create function rs.show_schemas(in_database text, pattern text)
returns table (
    database_name varchar, schema_name varchar, schema_owner int, schema_type varchar,
    schema_acl varchar, source_database varchar, schema_option varchar
)
language sql stable as $$
    select
        current_database(),
        n.nspname,
        n.nspowner::int,
        case when e.name is null then 'local' else 'external' end,
        null,
        e.database_name,
        null
    from pg_namespace as n
    left join rs.external_schema as e on n.nspname = e.name
    where
        not starts_with(n.nspname, 'pg_')
        and n.nspname <> 'rs'
        and n.nspname like coalesce(pattern, '%')
        and (in_database is null or in_database = current_database())
$$;

create function rs.show_databases()
returns table (database_name varchar, database_type varchar)
language sql stable as $$ select datname, 'local' from pg_database where datallowconn $$;

create function rs.show_grants(in_schema text, in_table text)
returns table (
    database_name varchar, schema_name varchar, object_name varchar, object_type varchar,
    privilege_type varchar, identity_id int, identity_name varchar, identity_type varchar,
    admin_option boolean, privilege_scope varchar, grantor_name varchar
)
language sql stable as $$
    select
        current_database(), namespace_name, relation_name, 'TABLE', privilege_type, 0,
        identity_name, identity_type, admin_option, 'TABLE', null
    from pg_catalog.svv_relation_privileges
    where namespace_name = in_schema and relation_name = in_table
$$;
