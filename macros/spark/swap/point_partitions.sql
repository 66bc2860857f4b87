{% macro point_partitions(relation, directory, built, asked, published) -%}
    {%- set added = [] -%}
    {%- for day in built if day not in published -%}
        {%- do added.append("partition (dt = date '" ~ day ~ "') location '" ~ directory ~ "/dt=" ~ day ~ "'") -%}
    {%- endfor -%}
    {%- for some in added | batch(100) -%}
        {%- do run_query("alter table " ~ relation ~ " add " ~ some | join(" ")) -%}
    {%- endfor -%}

    {%- do locate_partitions(relation, directory, built | select("in", published) | list) -%}

    {%- set emptied = [] -%}
    {%- for day in published if day not in built and (asked is none or day in asked) -%}
        {%- do emptied.append("partition (dt = date '" ~ day ~ "')") -%}
    {%- endfor -%}
    {%- if emptied -%}
        {%- do run_query("alter table " ~ relation ~ " drop " ~ emptied | join(", ")) -%}
    {%- endif -%}
{%- endmacro %}
