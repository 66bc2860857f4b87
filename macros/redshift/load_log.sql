{% macro load_log() %}
    {{- return(api.Relation.create(
        database=target.database,
        schema=generate_schema_name('loads', none) | trim,
        identifier='load_log',
        type='table'
    )) -}}
{% endmacro %}
