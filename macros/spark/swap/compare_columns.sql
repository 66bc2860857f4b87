{% macro compare_columns(have, query) -%}
    {%- set added, lost = [], [] -%}
    {%- if have -%}
        {%- set want = columns_of("query " ~ query) -%}
        {%- do validate_doc_columns(this, model.columns, want | list) -%}
        {%- for name, type in want.items() if name not in have -%}
            {%- set comment = model.columns[name].description if name in model.columns else "" -%}
            {%- do added.append("`" ~ name ~ "` " ~ type ~ " comment " ~ sql_text(comment)) -%}
        {%- endfor -%}
        {%- for name, type in have.items() -%}
            {%- if name not in want -%}
                {%- do lost.append("column " ~ name ~ " " ~ type ~ " is gone") -%}
            {%- elif want[name] != type -%}
                {%- do lost.append("column " ~ name ~ " " ~ type ~ " became " ~ want[name]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return({"added": added, "lost": lost}) }}
{%- endmacro %}
