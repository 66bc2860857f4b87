{% macro held_to_contract(query) -%}
    {%- if config.get("contract").enforced -%}
        {%- do get_assert_columns_equivalent(query) -%}
        {{ return(get_select_subquery(query)) }}
    {%- endif -%}
    {{ return(query) }}
{%- endmacro %}
