{% macro send(statements) %}
    {%- call statement('send', auto_begin=false) -%}
        {{ statements | map('trim') | select | join(';\n') }}
    {%- endcall -%}
{% endmacro %}
