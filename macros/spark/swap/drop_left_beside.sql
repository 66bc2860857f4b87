{% macro drop_left_beside(relation) -%}
    {%- set left = run_query("show tables in " ~ relation.schema ~ " like '" ~ relation.identifier ~ "__building_*'") -%}
    {%- for row in left -%}
        {%- do run_query("drop table if exists " ~ relation.incorporate(path={"identifier": row[1]})) -%}
    {%- endfor -%}
{%- endmacro %}
