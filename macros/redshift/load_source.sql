{% macro load_source() %}
    {%- set sources = graph.sources.values()
        | selectattr('unique_id', 'in', model.depends_on.nodes)
        | list -%}
    {%- if sources | length != 1 or model.depends_on.nodes | length != 1 -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ": a load selects from one source and nothing else, not "
            ~ model.depends_on.nodes | join(', ')
        ) -%}
    {%- endif -%}
    {{- return(api.Relation.create(
        schema=sources[0].schema,
        identifier=sources[0].identifier
    )) -}}
{% endmacro %}
