{% macro redshift__list_relations_without_caching(schema_relation) %}
    {%- if var('offline', false) -%}
        {{- return([]) -}}
    {%- endif -%}
    {{- return(dbt.redshift__list_relations_without_caching(schema_relation)) -}}
{% endmacro %}
