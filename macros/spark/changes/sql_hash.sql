{% macro sql_hash(node, query) -%}
    {%- set said = [query] -%}
    {%- do said.extend(views_above(node)) -%}
    {{ return(local_md5(said | join("\n"))) }}
{%- endmacro %}
