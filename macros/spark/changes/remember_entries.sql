{% macro remember_entries(relation, seen) -%}
    {%- set properties = [] -%}
    {%- for topic, entry in seen.items() -%}
        {%- do properties.append("'datacore.seen." ~ topic ~ "' = '" ~ entry ~ "'") -%}
    {%- endfor -%}
    {%- if properties -%}
        {%- do run_query("alter table " ~ relation ~ " set tblproperties (" ~ properties | join(", ") ~ ")") -%}
    {%- endif -%}
{%- endmacro %}
