{% macro seen_facts(changes, state) -%}
    {%- set facts = {} -%}
    {%- if changes.seen -%}
        {%- do facts.update({"provisional": changes.provisional | join(" ")}) -%}
        {%- for topic, entry in changes.seen.items() -%}
            {%- do facts.update({"seen." ~ topic: entry}) -%}
        {%- endfor -%}
        {%- for topic in (state.open.keys() | list + changes.open.keys() | list) | unique -%}
            {%- do facts.update({"open." ~ topic: changes.open.get(topic, "")}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(facts) }}
{%- endmacro %}
