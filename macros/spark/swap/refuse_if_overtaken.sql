{% macro refuse_if_overtaken(relation, beside, looked_at, published) -%}
    {%- if published != looked_at -%}
        {%- do release_publication(relation) -%}
        {%- do run_query("drop table if exists " ~ beside) -%}
        {{ exceptions.raise_compiler_error(
            "not published: " ~ relation ~ ": run " ~ published ~ " published it while this one built. "
            ~ "Readers have what that run published, and nothing of this one; run dbt build again"
        ) }}
    {%- endif -%}
{%- endmacro %}
