{% macro remember(relation, facts) -%}
    {%- set properties = [] -%}
    {%- for name, value in facts.items() -%}
        {%- do properties.append("'datacore." ~ name ~ "' = '" ~ value ~ "'") -%}
    {%- endfor -%}
    {%- if properties -%}
        {%- do run_query("alter table " ~ relation ~ " set tblproperties (" ~ properties | join(", ") ~ ")") -%}
    {%- endif -%}
{%- endmacro %}
