{% macro hold_publication(relation) -%}
    {%- set held = lock_of(relation) -%}
    {%- set patience = var("publication_patience", 30) -%}
    {%- set holder = namespace(was=holder_of(held), unmoved=0) -%}
    {%- for second in range(3600) -%}
        {%- if holder.was is none or holder.unmoved >= patience -%}
            {%- break -%}
        {%- endif -%}
        {%- do run_query("select reflect('java.lang.Thread', 'sleep', bigint(1000))") -%}
        {%- set now = holder_of(held) -%}
        {%- set holder.unmoved = holder.unmoved + 1 if now == holder.was else 0 -%}
        {%- set holder.was = now -%}
    {%- endfor -%}
    {%- if holder.was is not none -%}
        {%- do log(relation ~ ": taking over from run " ~ holder.was.run ~ ", which did not move for " ~ patience ~ " s", info=true) -%}
        {%- do run_query("drop view if exists " ~ held) -%}
    {%- endif -%}
    {%- do run_query("create view " ~ held ~ " as select '" ~ run_name() ~ "' as run, 0 as step") -%}
{%- endmacro %}
