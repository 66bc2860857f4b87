{% macro select_from(table_name, query) %}
    {%- set sources = graph.sources.values()
        | selectattr('unique_id', 'in', model.depends_on.nodes)
        | map(attribute='relation_name')
        | list -%}
    {{- return(query | replace(sources[0], table_name)) -}}
{% endmacro %}
