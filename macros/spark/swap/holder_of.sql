{% macro holder_of(held) -%}
    {%- for row in run_query("show table extended in " ~ held.schema ~ " like '" ~ held.identifier ~ "'") -%}
        {%- set found = modules.re.search("select '([^']*)' as run, (\\d+) as step", row["information"]) -%}
        {%- if found -%}
            {{ return({"run": found.group(1), "step": found.group(2)}) }}
        {%- endif -%}
        {{ return({"run": "unknown", "step": "0"}) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
