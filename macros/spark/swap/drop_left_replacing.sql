{% macro drop_left_replacing(relation) -%}
    {%- set hour_ago = (run_started_at - modules.datetime.timedelta(hours=1)).strftime("%Y%m%dt%H%M%S") -%}
    {%- for row in asked_once("show views in " ~ relation.schema ~ " like '*__replacing_*'") -%}
        {%- set name, _, run = row[1].rpartition("__replacing_") -%}
        {%- if name == relation.identifier | lower and run < hour_ago -%}
            {%- do run_query("drop view if exists " ~ relation.incorporate(path={"identifier": row[1]})) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
