-- Redshift's date functions. The date part arrives as a literal in PostgreSQL's word for it:
-- sql/expressions.py turns `dateadd(d, 1, x)` into `dateadd('day', 1, x)`.

create function pg_catalog.getdate() returns timestamp language sql stable as $$
    select date_trunc('second', clock_timestamp() at time zone 'utc')
$$;

create function rs.sysdate() returns timestamp language sql stable as $$
    select now() at time zone 'utc'
$$;

create function pg_catalog.dateadd(part text, n numeric, ts timestamp) returns timestamp
language sql immutable as $$
    select ts + case part
        when 'century' then make_interval(years => 100 * trunc(n)::int)
        when 'decade' then make_interval(years => 10 * trunc(n)::int)
        when 'year' then make_interval(years => trunc(n)::int)
        when 'quarter' then make_interval(months => 3 * trunc(n)::int)
        when 'month' then make_interval(months => trunc(n)::int)
        when 'week' then make_interval(days => 7 * trunc(n)::int)
        when 'day' then make_interval(days => trunc(n)::int)
        when 'hour' then make_interval(hours => trunc(n)::int)
        when 'minute' then make_interval(mins => trunc(n)::int)
        when 'second' then make_interval(secs => trunc(n)::float8)
        when 'milliseconds' then make_interval(secs => trunc(n)::float8 / 1000)
        when 'microseconds' then make_interval(secs => trunc(n)::float8 / 1000000)
    end
$$;

create function pg_catalog.dateadd(part text, n numeric, ts date) returns timestamp
language sql immutable as $$ select pg_catalog.dateadd(part, n, ts::timestamp) $$;

create function pg_catalog.dateadd(part text, n float8, ts timestamp) returns timestamp
language sql immutable as $$ select pg_catalog.dateadd(part, n::numeric, ts) $$;

create function pg_catalog.dateadd(part text, n numeric, ts timestamptz) returns timestamptz
language sql stable as $$
    select pg_catalog.dateadd(part, n, ts at time zone 'utc') at time zone 'utc'
$$;

-- Counts the boundaries crossed, not the time elapsed; a week starts on Sunday.
create function pg_catalog.datediff(part text, a timestamp, b timestamp) returns bigint
language sql immutable as $$
    select case part
        when 'century' then extract(century from b)::bigint - extract(century from a)::bigint
        when 'decade' then extract(decade from b)::bigint - extract(decade from a)::bigint
        when 'year' then extract(year from b)::bigint - extract(year from a)::bigint
        when 'quarter' then
            (extract(year from b) * 4 + extract(quarter from b))::bigint
            - (extract(year from a) * 4 + extract(quarter from a))::bigint
        when 'month' then
            (extract(year from b) * 12 + extract(month from b))::bigint
            - (extract(year from a) * 12 + extract(month from a))::bigint
        when 'week' then (
            date_trunc('week', b + interval '1 day')::date
            - date_trunc('week', a + interval '1 day')::date
        ) / 7
        when 'day' then b::date - a::date
        when 'hour' then
            (extract(epoch from date_trunc('hour', b) - date_trunc('hour', a)) / 3600)::bigint
        when 'minute' then
            (extract(epoch from date_trunc('minute', b) - date_trunc('minute', a)) / 60)::bigint
        when 'second' then
            (extract(epoch from date_trunc('second', b) - date_trunc('second', a)))::bigint
        when 'milliseconds' then (
            extract(epoch from date_trunc('milliseconds', b) - date_trunc('milliseconds', a))
            * 1000
        )::bigint
        when 'microseconds' then (extract(epoch from b - a) * 1000000)::bigint
    end
$$;

create function pg_catalog.datediff(part text, a timestamptz, b timestamptz) returns bigint
language sql stable as $$
    select pg_catalog.datediff(part, a at time zone 'utc', b at time zone 'utc')
$$;

create function pg_catalog.trunc(ts timestamp) returns date
language sql immutable as $$ select ts::date $$;

create function pg_catalog.last_day(ts timestamp) returns date
language sql immutable as $$
    select (date_trunc('month', ts) + interval '1 month - 1 day')::date
$$;

-- The last day of a month stays the last day.
create function pg_catalog.add_months(ts timestamp, n int) returns timestamp
language sql immutable as $$
    select case
        when ts::date = pg_catalog.last_day(ts)
            then pg_catalog.last_day(ts + make_interval(months => n)) + ts::time
        else ts + make_interval(months => n)
    end
$$;

create function pg_catalog.months_between(a timestamp, b timestamp) returns float8
language sql immutable as $$
    select pg_catalog.datediff('month', b, a)::float8 + case
        when
            extract(day from a) = extract(day from b)
            or (pg_catalog.last_day(a) = a::date and pg_catalog.last_day(b) = b::date)
            then 0
        else (
            extract(epoch from a - date_trunc('month', a))
            - extract(epoch from b - date_trunc('month', b))
        )::float8 / (31 * 86400)
    end
$$;

create function pg_catalog.next_day(ts timestamp, weekday text) returns date
language sql immutable as $$
    select (
        ts::date + 1 + (
            array_position(
                array['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa'], lower(left(weekday, 2))
            )
            - 1 - extract(dow from ts::date + 1)::int + 7
        ) % 7
    )::date
$$;

create function pg_catalog.convert_timezone(target text, ts timestamp) returns timestamp
language sql stable as $$ select ts at time zone 'UTC' at time zone target $$;

create function pg_catalog.convert_timezone(source text, target text, ts timestamp)
returns timestamp
language sql stable as $$ select ts at time zone source at time zone target $$;
