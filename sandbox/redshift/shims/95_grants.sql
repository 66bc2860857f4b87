-- Everybody may read the system views. Those of PostgreSQL keep the rights that they have.

grant select on all tables in schema rs to public;

do $$
declare
    shim record;
begin
    for shim in
        select oid::regclass as name from pg_class
        where relnamespace = 'pg_catalog'::regnamespace and relkind = 'v' and oid >= 16384
    loop
        execute format('grant select on %s to public', shim.name);
    end loop;
end
$$;
