{% macro point_partitions(relation, directory, built, asked) -%}
    {%- set published = [] -%}
    {%- for row in run_query("show partitions " ~ relation) -%}
        {%- do published.append(row[0].split("=")[1]) -%}
    {%- endfor -%}

    {%- set added = [] -%}
    {%- for day in built if day not in published -%}
        {%- do added.append("partition (dt = date '" ~ day ~ "') location '" ~ directory ~ "/dt=" ~ day ~ "'") -%}
    {%- endfor -%}
    {%- if added -%}
        {%- do run_query("alter table " ~ relation ~ " add " ~ added | join(" ")) -%}
    {%- endif -%}

    {%- for day in built if day in published -%}
        {%- do run_query(
            "alter table " ~ relation ~ " partition (dt = date '" ~ day ~ "') set location '" ~ directory ~ "/dt=" ~ day ~ "'"
        ) -%}
    {%- endfor -%}

    {%- set emptied = [] -%}
    {%- for day in published if day not in built and (asked is none or day in asked) -%}
        {%- do emptied.append("partition (dt = date '" ~ day ~ "')") -%}
    {%- endfor -%}
    {%- if emptied -%}
        {%- do run_query("alter table " ~ relation ~ " drop " ~ emptied | join(", ")) -%}
    {%- endif -%}
{%- endmacro %}
