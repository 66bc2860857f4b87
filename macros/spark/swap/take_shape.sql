{% macro take_shape(relation, beside, location) -%}
    {%- set shape = beside.incorporate(path={"identifier": beside.identifier ~ "_shape"}) -%}
    {%- do create_published(shape, beside, location) -%}
    {%- do run_query("alter table " ~ relation ~ " set tblproperties ('datacore.becomes' = '" ~ shape.identifier ~ "')") -%}
    {%- set taken = columns_of(relation) == columns_of(shape) -%}
    {%- do run_query("drop table if exists " ~ shape) -%}
    {%- if not taken -%}
        {%- do log(relation ~ ": this catalog cannot change the columns in one write: the table is made again", info=true) -%}
        {%- do adapter.drop_relation(relation) -%}
        {%- do create_published(relation, beside, location) -%}
    {%- endif -%}
    {{ return(taken) }}
{%- endmacro %}
