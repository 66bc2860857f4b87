{% macro asked_once(query) -%}
    {#- dbt gives every model of a run the same graph. -#}
    {%- set answers = graph.setdefault("datacore_answers", {}) -%}
    {%- if query not in answers -%}
        {%- do answers.update({query: run_query(query).rows}) -%}
    {%- endif -%}
    {{ return(answers[query]) }}
{%- endmacro %}
