{% macro check_beside(beside) -%}
    {%- set unique_key = config.get("unique_key") -%}
    {%- set key = [unique_key] if unique_key is string else unique_key -%}
    {%- set by_day = config.get("partition_by") is not none -%}
    {%- set counts -%}
        select
            {{ "cast(dt as string)" if by_day else "'all'" }} as dt,
            count(*) as records,
            count({{ "distinct " ~ key | join(", ") if key else "*" }}) as keys
        from {{ beside }}
        group by {{ "dt" if by_day else "all" }}
        order by dt
    {%- endset -%}
    {%- set records = {} -%}
    {%- for row in run_query(counts) -%}
        {%- if row["keys"] != row["records"] -%}
            {%- do run_query("drop table " ~ beside) -%}
            {{ exceptions.raise_compiler_error(
                "not published: " ~ this ~ ", dt " ~ row["dt"] ~ ": " ~ row["records"] ~ " records have "
                ~ row["keys"] ~ " keys (" ~ key | join(", ") ~ "), so a key is repeated or null; readers keep what they had"
            ) }}
        {%- endif -%}
        {%- do records.update({row["dt"]: row["records"]}) -%}
    {%- endfor -%}
    {{ return(records) }}
{%- endmacro %}
