{% macro move_publication(relation, step) -%}
    {%- do run_query("alter view " ~ lock_of(relation) ~ " as select '" ~ run_name() ~ "' as run, " ~ step ~ " as step") -%}
{%- endmacro %}
