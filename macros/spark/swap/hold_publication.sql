{% macro hold_publication(relation) -%}
    {%- set lock = lock_of(relation) -%}
    {%- set patience = var("publication_patience", 30) -%}
    {%- set wait = namespace(holder=none, unmoved=0, took_over=false) -%}
    {%- for second in range(3600) -%}
        {%- do run_query("create view if not exists " ~ lock ~ " as select '" ~ run_name() ~ "' as run, 0 as step") -%}
        {%- set now = publication_of(relation) -%}
        {%- if now.run == run_name() and not wait.took_over -%}
            {{ return(now.published) }}
        {%- elif now.run == run_name() -%}
            {#- Another may have taken over in the same moment: whose name stands a second later has it. -#}
            {%- set wait.took_over = false -%}
        {%- elif now.run is not none -%}
            {%- set holder = now.run ~ " " ~ now.step -%}
            {%- set wait.unmoved = wait.unmoved + 1 if holder == wait.holder else 0 -%}
            {%- set wait.holder = holder -%}
            {%- if wait.unmoved >= patience -%}
                {%- do log(relation ~ ": taking over from run " ~ now.run ~ ", which did not move for " ~ patience ~ " s", info=true) -%}
                {%- do run_query("drop view if exists " ~ lock) -%}
                {%- set wait.took_over = true -%}
                {%- set wait.unmoved = 0 -%}
                {%- continue -%}
            {%- endif -%}
        {%- endif -%}
        {%- do run_query("select reflect('java.lang.Thread', 'sleep', bigint(1000))") -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error("not published: " ~ relation ~ ": others held its publication for an hour, the last: " ~ wait.holder) }}
{%- endmacro %}
