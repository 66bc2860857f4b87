-- What the stand-in remembers beside PostgreSQL's own catalog. Clients write through sessions of
-- their own, so these tables roll back with them; only load errors are written from outside.

create schema rs;
grant usage, create on schema rs to public;

create table rs.table_attribute (
    oid oid primary key,
    diststyle text,
    distkey text,
    sorttype text,
    sortkey text[],
    backup boolean,
    constraints text[]
);

create table rs.materialized_view (
    schema_name text,
    name text,
    query text,
    definition text,
    attributes jsonb,
    autorefresh boolean,
    primary key (schema_name, name)
);

create table rs.external_schema (
    name text primary key,
    database_name text not null,
    iam_role text
);

create table rs.external_table (
    schema_name text,
    name text,
    location text,
    input_format text,
    output_format text,
    serialization_lib text,
    serde_parameters text,
    compressed int,
    parameters text,
    primary key (schema_name, name)
);

create table rs.external_column (
    schema_name text,
    table_name text,
    name text,
    external_type text,
    position int,
    part_key int
);

create table rs.external_partition (
    schema_name text,
    table_name text,
    partition_values text,
    location text,
    input_format text,
    output_format text,
    serialization_lib text,
    serde_parameters text,
    compressed int,
    parameters text
);

create table rs.load_error (
    userid int default 100,
    query bigint,
    starttime timestamp default (now() at time zone 'utc'),
    tbl oid,
    filename text,
    line_number bigint,
    colname text,
    type text,
    raw_field_value text,
    err_code int,
    err_reason text,
    session int
);

create table rs.load_commit (
    query bigint,
    filename text,
    lines_scanned bigint,
    curtime timestamp default (now() at time zone 'utc'),
    tbl oid,
    bytes bigint
);

create sequence rs.query_id start 1000;

grant usage on sequence rs.query_id to public;
grant insert, update, delete on rs.table_attribute, rs.materialized_view, rs.load_commit to public;
