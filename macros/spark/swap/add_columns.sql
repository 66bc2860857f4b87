{% macro add_columns(relation, added) -%}
    {%- if added -%}
        {%- do run_query("alter table " ~ relation ~ " add columns (" ~ added | join(", ") ~ ")") -%}
    {%- endif -%}
{%- endmacro %}
