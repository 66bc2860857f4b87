{% macro check_beside(beside, key=none) -%}
    {%- set there = run_query("show table extended in " ~ beside.schema ~ " like '" ~ beside.identifier ~ "'") -%}
    {%- if there.rows | length == 0 -%}
        {{ exceptions.raise_compiler_error(
            "not published: " ~ this ~ ": another run builds it too, and took away what this one had built. "
            ~ "Readers have what that run publishes, and nothing of this one; run dbt build again"
        ) }}
    {%- endif -%}
    {%- set unique_key = key or config.get("unique_key") -%}
    {%- set key = [unique_key] if unique_key is string else unique_key -%}
    {%- set by_day = config.get("partition_by") is not none -%}
    {%- set checks = config.get("checks") or {} -%}
    {%- set counts -%}
        select
            {{ "cast(dt as string)" if by_day else "'all'" }} as dt,
            count(*) as records,
            count({{ "distinct " ~ key | join(", ") if key else "*" }}) as keys
            {%- for holds in checks.values() %},
            count_if(not coalesce({{ holds }}, false)) as failed_{{ loop.index }}
            {%- endfor %}
        from {{ beside }}
        group by {{ "dt" if by_day else "all" }}
        order by dt
    {%- endset -%}
    {%- set records = {} -%}
    {%- set wrong = [] -%}
    {%- for row in run_query(counts) -%}
        {%- if row["keys"] != row["records"] -%}
            {%- do wrong.append(
                "dt " ~ row["dt"] ~ ": " ~ row["records"] ~ " records have " ~ row["keys"] ~ " keys ("
                ~ key | join(", ") ~ "), so a key is repeated or null"
            ) -%}
        {%- endif -%}
        {%- for name, holds in checks.items() -%}
            {%- set failed = row["failed_" ~ loop.index] -%}
            {%- do wrong.append(
                "dt " ~ row["dt"] ~ ": check " ~ name ~ " (" ~ holds ~ ") does not hold for " ~ failed
                ~ " of " ~ row["records"] ~ " records"
            ) if failed -%}
        {%- endfor -%}
        {%- do records.update({row["dt"]: row["records"]}) -%}
    {%- endfor -%}
    {%- if wrong -%}
        {%- do run_query("drop table if exists " ~ beside) -%}
        {{ exceptions.raise_compiler_error(
            "not published: " ~ this ~ ", " ~ wrong[:5] | join("; ")
            ~ ("; and " ~ (wrong | length - 5) ~ " more" if wrong | length > 5) ~ "; readers keep what they had"
        ) }}
    {%- endif -%}
    {{ return(records) }}
{%- endmacro %}
