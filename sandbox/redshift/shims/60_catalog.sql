-- Redshift's views of tables, columns, views and privileges.

create function rs.row_count(target oid) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    n bigint;
begin
    execute format('select count(*) from %s', target::regclass) into n;
    return n;
end
$$;

create function rs.last_modified(target oid) returns timestamp
language plpgsql security definer set search_path = pg_catalog as $$
declare
    at timestamptz;
begin
    execute format('select max(pg_xact_commit_timestamp(xmin)) from %s', target::regclass)
    into at;
    return at at time zone 'utc';
end
$$;

create function rs.use_database(name text) returns void
language plpgsql as $$
begin
    if name <> current_database() then
        raise exception 'database "%" does not exist', name using errcode = '3D000';
    end if;
end
$$;

-- Volatile: an immutable one would be answered by the built-in function before it is inlined.
create or replace function pg_catalog.version() returns text
language sql volatile as $$
    select 'PostgreSQL 8.0.2 on x86_64-pc-linux-gnu, Redshift 1.0.113135 (local stand-in)'
$$;

-- The tables that people made: no catalog, no external tables, no temporary ones.
create view rs.user_table as
select c.oid, n.nspname, c.relname
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
where
    c.relkind = 'r'
    and n.nspname not in ('pg_catalog', 'information_schema', 'rs')
    and not starts_with(n.nspname, 'pg_')
    and n.nspname not in (select name from rs.external_schema);

create view pg_catalog.svv_table_info as
select
    current_database()::text as database,
    t.nspname::text as schema,
    t.oid as table_id,
    coalesce(m.name, t.relname)::text as "table",
    'Y, AUTO(ENCODE)'::text as encoded,
    case coalesce(a.diststyle, 'auto')
        when 'key' then 'KEY(' || a.distkey || ')'
        when 'even' then 'EVEN'
        when 'all' then 'ALL'
        else 'AUTO(ALL)'
    end::text as diststyle,
    case
        when a.sorttype = 'interleaved' then 'INTERLEAVED'
        when a.sortkey = '{auto}' then 'AUTO(SORTKEY)'
        else a.sortkey[1]
    end::text as sortkey1,
    (
        select max(case when p.atttypmod > 4 then p.atttypmod - 4 else 0 end)
        from pg_attribute as p
        where p.attrelid = t.oid and p.atttypid = 'varchar'::regtype
    )::int as max_varchar,
    'az64'::char(32) as sortkey1_enc,
    coalesce(array_length(a.sortkey, 1), 0)::int as sortkey_num,
    greatest(1, pg_relation_size(t.oid) / 1048576)::bigint as size,
    0.0001::numeric(10, 4) as pct_used,
    0::bigint as empty,
    0::numeric(5, 2) as unsorted,
    0::numeric(5, 2) as stats_off,
    rs.row_count(t.oid)::numeric(38, 0) as tbl_rows,
    null::numeric(19, 2) as skew_sortkey1,
    null::numeric(19, 2) as skew_rows,
    rs.row_count(t.oid)::numeric(38, 0) as estimated_visible_rows,
    null::text as risk_event,
    null::numeric(12, 2) as vacuum_sort_benefit,
    null::timestamp as create_time
from rs.user_table as t
left join rs.table_attribute as a on t.oid = a.oid
left join rs.materialized_view as m
    on t.nspname = m.schema_name and t.relname = 'mv_tbl__' || m.name || '__0';

create view pg_catalog.svv_mv_info as
select
    current_database()::text as database_name,
    schema_name,
    null::text as user_name,
    name,
    'f'::char(1) as is_stale,
    1 as state,
    't'::char(1) as autorewrite,
    (case when autorefresh then 't' else 'f' end)::char(1) as autorefresh
from rs.materialized_view;

create view pg_catalog.stv_mv_info as
select
    current_database()::char(128) as db_name,
    schema_name::char(128) as schema,
    name::char(128) as name,
    0::bigint as updated_upto_xid,
    'f'::char(1) as is_stale,
    100 as owner_user_id,
    1 as state,
    't'::char(1) as autorewrite,
    (case when autorefresh then 't' else 'f' end)::char(1) as autorefresh
from rs.materialized_view;

create view pg_catalog.pg_table_def as
select
    n.nspname::text as schemaname,
    c.relname::text as tablename,
    a.attname::text as "column",
    format_type(a.atttypid, a.atttypmod)::text as type,
    'none'::text as encoding,
    coalesce(a.attname = t.distkey, false) as distkey,
    coalesce(array_position(t.sortkey, a.attname::text), 0) as sortkey,
    a.attnotnull as "notnull"
from rs.user_table as u
inner join pg_class as c on u.oid = c.oid
inner join pg_namespace as n on c.relnamespace = n.oid
inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
left join rs.table_attribute as t on c.oid = t.oid
where n.nspname = any(current_schemas(false));

create view rs.column_facts as
select
    c.*,
    (case
        when c.character_maximum_length is not null
            then c.data_type || '(' || c.character_maximum_length || ')'
        when c.data_type = 'numeric'
            then 'numeric(' || c.numeric_precision || ',' || c.numeric_scale || ')'
        else c.data_type
    end)::varchar as full_type,
    col_description(
        format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position
    )::varchar as remarks
from information_schema.columns as c
where
    c.table_schema not in ('information_schema', 'pg_catalog', 'rs')
    and c.table_schema not in (select name from rs.external_schema);

create view pg_catalog.svv_redshift_columns as
select
    table_catalog::varchar as database_name,
    table_schema::varchar as schema_name,
    table_name::varchar as table_name,
    column_name::varchar as column_name,
    ordinal_position::int as ordinal_position,
    full_type as data_type,
    column_default::varchar as column_default,
    is_nullable::varchar as is_nullable,
    null::varchar as encoding,
    false as distkey,
    0 as sortkey,
    null::varchar as column_acl,
    remarks
from rs.column_facts;

create view pg_catalog.svv_columns as
select
    table_catalog::varchar as table_catalog,
    table_schema::varchar as table_schema,
    table_name::varchar as table_name,
    column_name::varchar as column_name,
    ordinal_position::int as ordinal_position,
    column_default::varchar as column_default,
    is_nullable::varchar as is_nullable,
    data_type::varchar as data_type,
    character_maximum_length::int as character_maximum_length,
    numeric_precision::int as numeric_precision,
    numeric_scale::int as numeric_scale,
    remarks
from rs.column_facts
union all
select
    current_database()::varchar,
    schema_name::varchar,
    table_name::varchar,
    name::varchar,
    position,
    null::varchar,
    'YES'::varchar,
    external_type::varchar,
    null::int,
    null::int,
    null::int,
    null::varchar
from rs.external_column;

create view pg_catalog.svv_tables as
select
    table_catalog::varchar as table_catalog,
    table_schema::varchar as table_schema,
    table_name::varchar as table_name,
    table_type::varchar as table_type,
    null::varchar as remarks
from information_schema.tables
where table_schema not in (select name from rs.external_schema) and table_schema <> 'rs'
union all
select
    current_database()::varchar,
    schema_name::varchar,
    name::varchar,
    'EXTERNAL TABLE'::varchar,
    null::varchar
from rs.external_table;

create view pg_catalog.svv_relation_privileges as
select
    g.table_schema::text as namespace_name,
    g.table_name::text as relation_name,
    lower(g.privilege_type)::text as privilege_type,
    0 as identity_id,
    g.grantee::text as identity_name,
    (case
        when g.grantee = 'PUBLIC' then 'public'
        when r.rolcanlogin then 'user'
        else 'role'
    end)::text as identity_type,
    g.is_grantable = 'YES' as admin_option
from information_schema.role_table_grants as g
left join pg_roles as r on g.grantee = r.rolname;

-- dbt reads a table's freshness from its last insert.
create view pg_catalog.sys_query_detail as
select
    t.oid as table_id,
    'insert'::text as step_name,
    rs.last_modified(t.oid) as start_time
from rs.user_table as t
where rs.last_modified(t.oid) is not null;

-- A materialized view shows its own text in pg_views and information_schema.views.
create or replace view pg_catalog.pg_views as
select
    n.nspname as schemaname,
    c.relname as viewname,
    pg_get_userbyid(c.relowner) as viewowner,
    coalesce(m.definition, pg_get_viewdef(c.oid)) as definition
from pg_class as c
left join pg_namespace as n on c.relnamespace = n.oid
left join rs.materialized_view as m on n.nspname = m.schema_name and c.relname = m.name
where c.relkind = 'v';

do $$
begin
    execute 'create or replace view information_schema.views as ' || replace(
        pg_get_viewdef('information_schema.views'::regclass),
        'pg_get_viewdef(c.oid)',
        'coalesce((select m.definition from rs.materialized_view as m'
        || ' where m.schema_name = nc.nspname and m.name = c.relname), pg_get_viewdef(c.oid))'
    );
end
$$;

-- pg_attribute with Redshift's own columns, for statements that name them (sql/planner.py).
create view rs.pg_attribute as
select
    p.*,
    p.attname = a.distkey as attisdistkey,
    coalesce(array_position(a.sortkey, p.attname::text), 0) as attsortkeyord,
    0 as attencodingtype
from pg_catalog.pg_attribute as p
left join rs.table_attribute as a on p.attrelid = a.oid;
