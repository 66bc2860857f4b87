-- Redshift's functions on text, JSON and numbers that PostgreSQL lacks.

create function pg_catalog.charindex(part text, whole text) returns int
language sql immutable as $$ select strpos(whole, part) $$;

create function pg_catalog.strtol(digits text, base int) returns bigint
language plpgsql immutable as $$
declare
    result bigint := 0;
    digit text;
    value int;
begin
    foreach digit in array string_to_array(lower(digits), null) loop
        value := strpos('0123456789abcdefghijklmnopqrstuvwxyz', digit) - 1;
        if value < 0 or value >= base then
            raise exception 'The input % is not valid to be converted to base %', digits, base;
        end if;
        result := result * base + value;
    end loop;
    return result;
end
$$;

create function pg_catalog.sha2(value text, bits int) returns text
language sql immutable as $$
    select encode(
        case bits
            when 512 then sha512(convert_to(value, 'utf8'))
            when 384 then sha384(convert_to(value, 'utf8'))
            when 224 then sha224(convert_to(value, 'utf8'))
            else sha256(convert_to(value, 'utf8'))
        end,
        'hex'
    )
$$;

-- A hash, as Redshift's is, but not the same numbers.
create function pg_catalog.fnv_hash(value text) returns bigint
language sql immutable as $$ select hashtextextended(value, 0) $$;

create function pg_catalog.json_extract_path_text(document text, variadic path text[])
returns text
language sql immutable as $$ select document::jsonb #>> path $$;

create function pg_catalog.json_extract_array_element_text(document text, place int)
returns text
language sql immutable as $$ select document::jsonb ->> place $$;

create function pg_catalog.json_array_length(document text) returns int
language sql immutable as $$ select jsonb_array_length(document::jsonb) $$;

create function pg_catalog.json_parse(document text) returns jsonb
language sql immutable as $$ select document::jsonb $$;

create function pg_catalog.json_serialize(value jsonb) returns text
language sql immutable as $$ select value::text $$;

create function pg_catalog.is_valid_json(document text) returns boolean
language sql immutable as $$ select document is json object $$;

create function pg_catalog.is_valid_json_array(document text) returns boolean
language sql immutable as $$ select document is json array $$;

create function rs.median_of(sorted float8[]) returns float8
language sql immutable as $$
    select percentile_cont(0.5) within group (order by x) from unnest(sorted) as x
$$;

create aggregate pg_catalog.median(float8) (
    sfunc = array_append, stype = float8[], finalfunc = rs.median_of, initcond = '{}'
);
