-- Glue's tables as Redshift Spectrum shows them. `external/catalog.py` writes what is behind them
-- before a statement that names one of these views runs.

create view pg_catalog.svv_external_schemas as
select
    n.oid as esoid,
    1::smallint as eskind,
    e.name::varchar as schemaname,
    n.nspowner as esowner,
    e.database_name::varchar as databasename,
    json_build_object('IAM_ROLE', e.iam_role)::varchar as esoptions
from rs.external_schema as e
inner join pg_namespace as n on e.name = n.nspname;

create view pg_catalog.svv_external_databases as
select distinct
    1::smallint as eskind,
    database_name::varchar as databasename,
    '{}'::varchar as esoptions
from rs.external_schema;

create view pg_catalog.svv_external_tables as
select
    current_database()::varchar as redshift_database_name,
    schema_name::varchar as schemaname,
    name::varchar as tablename,
    'TABLE'::varchar as tabletype,
    location::varchar as location,
    input_format::varchar as input_format,
    output_format::varchar as output_format,
    serialization_lib::varchar as serialization_lib,
    serde_parameters::varchar as serde_parameters,
    compressed,
    parameters::varchar as parameters
from rs.external_table;

create view pg_catalog.svv_external_columns as
select
    current_database()::varchar as redshift_database_name,
    schema_name::varchar as schemaname,
    table_name::varchar as tablename,
    name::varchar as columnname,
    external_type::varchar as external_type,
    position as columnnum,
    part_key,
    ''::varchar as is_nullable
from rs.external_column;

create view pg_catalog.svv_external_partitions as
select
    schema_name::varchar as schemaname,
    table_name::varchar as tablename,
    partition_values::varchar as values,
    location::varchar as location,
    input_format::varchar as input_format,
    output_format::varchar as output_format,
    serialization_lib::varchar as serialization_lib,
    serde_parameters::varchar as serde_parameters,
    compressed,
    parameters::varchar as parameters
from rs.external_partition;

-- The tables below an external schema are local copies: they go with it, CASCADE or not.
create procedure rs.drop_schemas(names text[], if_exists boolean, in_cascade boolean)
language plpgsql as $$
declare
    schema_name text;
    is_external boolean;
begin
    foreach schema_name in array names loop
        is_external := exists (select 1 from rs.external_schema as e where e.name = schema_name);
        execute format(
            'drop schema %s %I %s',
            case when if_exists then 'if exists' else '' end,
            schema_name,
            case when in_cascade or is_external then 'cascade' else '' end
        );
    end loop;
end
$$;
