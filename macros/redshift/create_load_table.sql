{% macro create_load_table(relation) %}
    create table {{ relation }}
    {{ get_table_columns_and_constraints() }}
    {{ dist(config.get('dist')) }}
    {{ sort(config.get('sort_type'), config.get('sort')) }}
{% endmacro %}
