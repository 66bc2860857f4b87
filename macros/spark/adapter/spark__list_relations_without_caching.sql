{% macro spark__list_relations_without_caching(relation) -%}
    {%- if var("offline", false) -%}
        {{ return([]) }}
    {%- elif flags.WHICH == "generate" -%}
        {{ return(dbt.spark__list_relations_without_caching(relation)) }}
    {%- endif -%}
    {%- set tables = run_query("show tables in " ~ relation.schema) -%}
    {%- set views = run_query("show views in " ~ relation.schema).columns[1].values() -%}
    {%- set found = [] -%}
    {%- for row in tables -%}
        {%- do found.append([row[0], row[1], row[2], "Type: " ~ ("VIEW" if row[1] in views else "TABLE")]) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
