{% macro load_day(target_relation, columns, query, day, location, transaction) %}
    {{- log(this.identifier ~ ": " ~ day ~ " from " ~ location, info=true) -}}
    {#- errors name the table that was copied into: so it names the day -#}
    {%- set stage = this.identifier ~ '__' ~ day | replace('-', '_') -%}
    {%- set copied = stage_day(stage, columns, day, location) -%}
    {%- if transaction -%}
        {#- of two builds at once the second waits, then sees the first's rows -#}
        {%- do send(['begin', 'lock table ' ~ target_relation.include(database=false)]) -%}
    {%- endif -%}
    {%- set placed = replace_day(target_relation, stage, query, day, location) -%}
    {%- if copied != placed -%}
        {%- do exceptions.raise_compiler_error(
            this.identifier ~ ": " ~ day ~ ": " ~ copied ~ " rows were copied from " ~ location
            ~ ", but the table would hold " ~ placed ~ ": nothing was changed"
        ) -%}
    {%- endif -%}
    {%- if transaction -%}
        {%- do send(['commit']) -%}
    {%- endif -%}
    {{- return(placed) -}}
{% endmacro %}
