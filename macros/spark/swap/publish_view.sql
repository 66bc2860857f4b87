{% macro publish_view(relation, existing, query) -%}
    {%- do get_assert_columns_equivalent(query) if config.get("contract").enforced -%}
    {%- set definition = view_definition(query) -%}
    {%- if existing is none -%}
        {%- call statement("main") -%}create view if not exists {{ relation }} {{ definition.text }}{%- endcall -%}
        {{ return(none) }}
    {%- endif -%}
    {%- do drop_left_replacing(relation) -%}
    {%- if table_state(relation).sql == definition.hash -%}
        {% call noop_statement("main", "UNCHANGED") %}{% endcall %}
        {{ return(none) }}
    {%- endif -%}
    {%- set name = relation.identifier ~ "__replacing_" ~ run_name() | lower | replace("-", "_") -%}
    {%- set beside = relation.incorporate(path={"identifier": name}) -%}
    {%- call statement("main") -%}create view {{ beside }} {{ definition.text }}{%- endcall -%}
    {%- do run_query("alter view " ~ relation ~ " set tblproperties ('datacore.becomes' = '" ~ name ~ "')") -%}
    {%- do run_query("drop view if exists " ~ beside) -%}
    {%- if table_state(relation).sql != definition.hash -%}
        {#- A catalog that does not know the property has kept it, and the view as it was. -#}
        {%- do run_query("create or replace view " ~ relation ~ " " ~ definition.text) -%}
    {%- endif -%}
{%- endmacro %}
