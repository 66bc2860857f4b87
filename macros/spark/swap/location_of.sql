{% macro location_of(relation, day) -%}
    {%- set part = "" if day == "all" else " partition (dt = date '" ~ day ~ "')" -%}
    {%- for row in run_query("describe formatted " ~ relation ~ part) if row[0] == "Location" -%}
        {{ return(row[1].rstrip("/")) }}
    {%- endfor -%}
{%- endmacro %}
