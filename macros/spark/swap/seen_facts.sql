{% macro seen_facts(seen) -%}
    {%- set facts = {} -%}
    {%- for topic, entry in seen.items() -%}
        {%- do facts.update({"seen." ~ topic: entry}) -%}
    {%- endfor -%}
    {{ return(facts) }}
{%- endmacro %}
