{% macro drop_left_beside(relation) -%}
    {%- set left = asked_once("show tables in " ~ relation.schema ~ " like '*__building_*'") -%}
    {%- for row in left if row[1].startswith(relation.identifier | lower ~ "__building_") -%}
        {%- do run_query("drop table if exists " ~ relation.incorporate(path={"identifier": row[1]})) -%}
    {%- endfor -%}
{%- endmacro %}
