-- DISTKEY, SORTKEY and informational constraints: PostgreSQL has none of them, so sql/tables.py
-- puts them in a comment before the statement, and these triggers keep them by the table's oid.

create function rs.remember_attributes() returns event_trigger
language plpgsql security definer set standard_conforming_strings = on as $$
declare
    made record;
    attributes jsonb;
begin
    for made in
        select c.oid, c.relname
        from pg_event_trigger_ddl_commands() as d
        inner join pg_class as c on c.oid = d.objid
        where d.object_type = 'table'
    loop
        select hint.found[1]::jsonb into attributes
        from regexp_matches(current_query(), '/\*rs:(\{.*?\})\*/', 'g') as hint (found)
        where hint.found[1]::jsonb ->> 'name' = made.relname
        limit 1;
        insert into rs.table_attribute
        select
            made.oid,
            coalesce(attributes ->> 'diststyle', 'auto'),
            attributes ->> 'distkey',
            attributes ->> 'sorttype',
            (select array_agg(k) from jsonb_array_elements_text(attributes -> 'sortkey') as k),
            coalesce((attributes ->> 'backup')::boolean, true),
            (select array_agg(k) from jsonb_array_elements_text(attributes -> 'constraints') as k)
        on conflict (oid) do nothing;
    end loop;
end
$$;

create function rs.forget_dropped() returns event_trigger
language plpgsql security definer as $$
declare
    gone record;
begin
    for gone in select * from pg_event_trigger_dropped_objects() loop
        if gone.object_type = 'table' then
            delete from rs.table_attribute where oid = gone.objid;
        elsif gone.object_type = 'view' then
            delete from rs.materialized_view
            where schema_name = gone.schema_name and name = gone.object_name;
        elsif gone.object_type = 'schema' then
            delete from rs.external_schema where name = gone.object_name;
            delete from rs.external_table where schema_name = gone.object_name;
            delete from rs.external_column where schema_name = gone.object_name;
            delete from rs.external_partition where schema_name = gone.object_name;
        end if;
    end loop;
end
$$;

create event trigger rs_remember on ddl_command_end
when tag in ('CREATE TABLE', 'CREATE TABLE AS') execute function rs.remember_attributes();

create event trigger rs_forget on sql_drop execute function rs.forget_dropped();

-- ALTER TABLE … ALTER DISTSTYLE / DISTKEY / SORTKEY, ADD PRIMARY KEY: what is named changes.
create procedure rs.alter_attributes(target text, changed jsonb)
language plpgsql security definer as $$
begin
    update rs.table_attribute set
        diststyle = coalesce(changed ->> 'diststyle', diststyle),
        distkey = coalesce(changed ->> 'distkey', distkey),
        sorttype = coalesce(changed ->> 'sorttype', sorttype),
        sortkey = case
            when changed ? 'sortkey' then
                (select array_agg(k) from jsonb_array_elements_text(changed -> 'sortkey') as k)
            else sortkey
        end,
        constraints = case
            when changed ? 'constraints' then
                constraints || (
                    select array_agg(k)
                    from jsonb_array_elements_text(changed -> 'constraints') as k
                )
            else constraints
        end
    where oid = target::regclass;
end
$$;

create procedure rs.alter_table_append(target text, source text)
language plpgsql as $$
begin
    execute format('insert into %s select * from %s', target, source);
    execute format('delete from %s', source);
end
$$;
