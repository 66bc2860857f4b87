-- What COPY did and why it failed.

create function pg_catalog.pg_last_copy_count() returns bigint language sql as $$
    select coalesce(nullif(current_setting('rs.last_copy_count', true), '')::bigint, 0)
$$;

create function pg_catalog.pg_last_copy_id() returns bigint language sql as $$
    select coalesce(nullif(current_setting('rs.last_copy_id', true), '')::bigint, -1)
$$;

create view pg_catalog.stl_load_errors as
select
    userid,
    0 as slice,
    tbl,
    starttime,
    session,
    query,
    filename::char(256) as filename,
    line_number,
    colname::char(127) as colname,
    type::char(10) as type,
    '0'::char(10) as col_length,
    null::int as position,
    ''::char(1024) as raw_line,
    raw_field_value::char(1024) as raw_field_value,
    err_code,
    err_reason::char(100) as err_reason,
    false as is_partial,
    0::bigint as start_offset
from rs.load_error;

create view pg_catalog.sys_load_error_detail as
select
    userid as user_id,
    query as query_id,
    0::bigint as transaction_id,
    session as session_id,
    current_database()::text as database_name,
    tbl as table_id,
    starttime as start_time,
    filename as file_name,
    line_number,
    colname as column_name,
    type as column_type,
    ''::text as column_length,
    null::int as position,
    err_code as error_code,
    err_reason as error_message
from rs.load_error;

create view pg_catalog.stl_load_commits as
select
    100 as userid,
    query,
    0 as slice,
    filename::char(256) as name,
    filename::char(256) as filename,
    0 as byte_offset,
    lines_scanned,
    0 as errors,
    curtime,
    1 as status,
    'Parquet'::char(16) as file_format
from rs.load_commit;

create view pg_catalog.sys_load_history as
select
    100 as user_id,
    query as query_id,
    'completed'::text as status,
    tbl as table_id,
    sum(lines_scanned)::bigint as loaded_rows,
    sum(bytes)::bigint as loaded_bytes,
    count(*)::bigint as source_file_count,
    min(curtime) as start_time,
    max(curtime) as end_time
from rs.load_commit
group by query, tbl;
