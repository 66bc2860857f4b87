{% macro refuse_lost_columns(relation, lost) -%}
    {%- if lost and not should_full_refresh() -%}
        {{ exceptions.raise_compiler_error(
            "not published: " ~ relation ~ ": " ~ lost | join("; ")
            ~ ". Readers of the table would break. To do it all the same, for every day: dbt build --full-refresh --select "
            ~ model.name ~ "+"
        ) }}
    {%- endif -%}
{%- endmacro %}
