{% macro check_load_columns(columns, query) %}
    {%- set shape = this.identifier ~ '__shape' -%}
    {%- call statement('create_shape') -%}
        create temporary table {{ shape }} (dt date, {{ columns | join(', ') }})
    {%- endcall -%}
    {%- do get_assert_columns_equivalent(select_from(shape, query)) -%}
    {%- call statement('drop_shape') -%}
        drop table {{ shape }}
    {%- endcall -%}
{% endmacro %}
