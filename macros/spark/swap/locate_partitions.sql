{% macro locate_partitions(relation, directory, days) -%}
    {%- if days | length > 2 -%}
        {%- for some in days | batch(100) -%}
            {%- do move_publication(relation, loop.index) if not loop.first -%}
            {%- set asked = {"to": directory, "partitions": []} -%}
            {%- for day in some -%}
                {%- do asked["partitions"].append("dt=" ~ day) -%}
            {%- endfor -%}
            {%- do run_query(
                "alter table " ~ relation ~ " set tblproperties ('datacore.relocate' = " ~ sql_text(tojson(asked)) ~ ")"
            ) -%}
        {%- endfor -%}
        {%- if run_of(relation, days[0]) == directory.rpartition("/")[2] -%}
            {{ return(none) }}
        {%- endif -%}
        {%- do run_query("alter table " ~ relation ~ " unset tblproperties if exists ('datacore.relocate')") -%}
    {%- endif -%}
    {%- for day in days -%}
        {%- do move_publication(relation, loop.index) if loop.index % 50 == 0 -%}
        {%- do run_query(
            "alter table " ~ relation ~ " partition (dt = date '" ~ day ~ "') set location '" ~ directory ~ "/dt=" ~ day ~ "'"
        ) -%}
    {%- endfor -%}
{%- endmacro %}
