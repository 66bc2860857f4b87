-- Materialized and late-binding views, made of what PostgreSQL has.

-- A materialized view is a view over an internal table mv_tbl__<name>__0, as on Redshift, where
-- that table has columns of its own too.
create procedure rs.create_materialized_view(
    in_schema text, view_name text, query text, definition text, attributes jsonb
)
language plpgsql as $$
declare
    s text := coalesce(in_schema, current_schema());
    inner_table text := format('%I.%I', s, 'mv_tbl__' || view_name || '__0');
    columns text;
begin
    if exists (select 1 from rs.materialized_view where schema_name = s and name = view_name) then
        raise exception 'relation "%" already exists', view_name using errcode = '42P07';
    end if;
    execute format('create table %s as %s', inner_table, query);
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = inner_table::regclass and attnum > 0;
    execute format(
        'alter table %s add column rs_hidden_1 bigint, add column rs_hidden_2 bigint', inner_table
    );
    execute format('create view %I.%I as select %s from %s', s, view_name, columns, inner_table);
    insert into rs.materialized_view values (
        s, view_name, query, definition, attributes,
        coalesce((attributes ->> 'autorefresh')::boolean, false)
    );
    call rs.alter_attributes(inner_table, attributes);
end
$$;

create procedure rs.refresh_materialized_view(in_schema text, view_name text)
language plpgsql as $$
declare
    v rs.materialized_view;
    inner_table text;
begin
    select * into v from rs.materialized_view
    where schema_name = coalesce(in_schema, current_schema()) and name = view_name;
    if not found then
        raise exception 'materialized view "%" does not exist', view_name
        using errcode = '42P01';
    end if;
    inner_table := format('%I.%I', v.schema_name, 'mv_tbl__' || view_name || '__0');
    execute format('delete from %s', inner_table);
    execute format('insert into %s %s', inner_table, v.query);
end
$$;

create procedure rs.drop_materialized_view(in_schema text, view_name text, if_exists boolean)
language plpgsql as $$
declare
    s text := coalesce(in_schema, current_schema());
begin
    if exists (select 1 from rs.materialized_view where schema_name = s and name = view_name) then
        execute format('drop view if exists %I.%I cascade', s, view_name);
        execute format('drop table if exists %I.%I cascade', s, 'mv_tbl__' || view_name || '__0');
        delete from rs.materialized_view where schema_name = s and name = view_name;
    elsif not if_exists then
        raise exception 'materialized view "%" does not exist', view_name
        using errcode = '42P01';
    end if;
end
$$;

create procedure rs.alter_materialized_view(in_schema text, view_name text, refresh boolean)
language sql as $$
    update rs.materialized_view set autorefresh = refresh
    where schema_name = coalesce(in_schema, current_schema()) and name = view_name
$$;

-- A late-binding view is a view over an SQL function with its body as a string, so nothing
-- depends on the tables. One whose tables are missing is made all the same and fails when asked.
create procedure rs.create_late_binding_view(
    in_schema text, view_name text, query text, replace boolean
)
language plpgsql as $$
declare
    s text := coalesce(in_schema, current_schema());
    body text := 'late_' || md5(s || '.' || view_name || clock_timestamp()::text);
    columns text;
begin
    begin
        execute format('create temporary view %I as %s', body, query);
        select string_agg(
            format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum
        ) into columns
        from pg_attribute where attrelid = body::regclass and attnum > 0;
        execute format('drop view %I', body);
    exception when undefined_table or invalid_schema_name then
        columns := 'unresolved int';
        perform set_config('check_function_bodies', 'off', true);
    end;
    execute format(
        'create function rs.%I() returns table (%s) language sql stable as %L',
        body, columns, query
    );
    if replace then
        begin
            execute format('create or replace view %I.%I as select * from rs.%I()', s, view_name, body);
        exception when invalid_table_definition then
            execute format('drop view %I.%I', s, view_name);
            execute format('create view %I.%I as select * from rs.%I()', s, view_name, body);
        end;
    else
        execute format('create view %I.%I as select * from rs.%I()', s, view_name, body);
    end if;
end
$$;

-- What a view's name stands for, as text: a late-binding view's body, a materialized view's query.
create view rs.view_text as
select
    c.relname::text as name,
    coalesce(m.query, p.prosrc, pg_get_viewdef(c.oid)) as body
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
left join rs.materialized_view as m on n.nspname = m.schema_name and c.relname = m.name
left join pg_rewrite as r on c.oid = r.ev_class
left join pg_depend as d
    on r.oid = d.objid
    and d.classid = 'pg_rewrite'::regclass
    and d.refclassid = 'pg_proc'::regclass
left join pg_proc as p
    on d.refobjid = p.oid and starts_with(p.proname, 'late_') and p.pronamespace = 'rs'::regnamespace
where c.relkind = 'v' and n.nspname not in ('pg_catalog', 'information_schema', 'rs');

-- The texts behind the views among `names`, through views on views.
create function rs.text_behind(names text[]) returns setof text
language sql stable as $$
    with recursive behind (name, body) as (
        select v.name, v.body from rs.view_text as v where v.name = any(names)
        union
        select v.name, v.body
        from rs.view_text as v
        inner join behind as b on strpos(lower(b.body), v.name) > 0
    )
    select body from behind
$$;

-- Columns of late-binding views are in PostgreSQL's own catalog here.
create function pg_catalog.pg_get_late_binding_view_cols() returns setof record
language sql as $$ select ''::name, ''::name, ''::name, ''::varchar, 0 where false $$;
