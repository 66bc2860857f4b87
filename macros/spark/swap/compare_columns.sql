{% macro compare_columns(relation, query) -%}
    {%- set have = columns_of(relation) -%}
    {%- set want = columns_of("query " ~ query) -%}
    {%- set added, lost = [], [] -%}
    {%- for name, type in want.items() if name not in have -%}
        {%- do added.append("`" ~ name ~ "` " ~ type) -%}
    {%- endfor -%}
    {%- for name, type in have.items() -%}
        {%- if name not in want -%}
            {%- do lost.append("column " ~ name ~ " " ~ type ~ " is gone") -%}
        {%- elif want[name] != type -%}
            {%- do lost.append("column " ~ name ~ " " ~ type ~ " became " ~ want[name]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({"added": added, "lost": lost}) }}
{%- endmacro %}
