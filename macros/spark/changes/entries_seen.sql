{% macro entries_seen(relation) -%}
    {%- set seen = {} -%}
    {%- for row in run_query("show tblproperties " ~ relation) -%}
        {%- if row[0].startswith("datacore.seen.") -%}
            {%- do seen.update({row[0][14:]: row[1] | int}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(seen) }}
{%- endmacro %}
