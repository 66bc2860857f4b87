{% macro redshift__get_relations() %}
    {%- if var('offline', false) -%}
        {{- return([]) -}}
    {%- endif -%}
    {{- return(dbt.redshift__get_relations()) -}}
{% endmacro %}
