{% macro create_lake_schema() %}
    {%- if execute -%}
        {%- set database = generate_schema_name('lake', none) | trim -%}
        {%- set region = env_var('DATACORE_REDSHIFT_CATALOG_REGION', '') -%}
        {#- `if not exists` would keep a schema over another database without a
            word, so look first -#}
        {%- call statement('external_schema', fetch_result=true, auto_begin=false) -%}
            select databasename
            from svv_external_schemas
            where schemaname = '{{ database }}'
        {%- endcall -%}
        {%- set found = load_result('external_schema').table.columns[0].values()
            | map('trim') | list -%}
        {%- if not found -%}
            {%- call statement('create_external_schema', auto_begin=false) -%}
                create external schema if not exists {{ database }}
                from data catalog
                database '{{ database }}'
                {{ iam_role() }}
                {{ "region '" ~ region ~ "'" if region }}
            {%- endcall -%}
        {%- elif found != [database] -%}
            {%- do exceptions.raise_compiler_error(
                "the external schema " ~ database ~ " shows the Glue database " ~ found[0]
                ~ ", not " ~ database ~ ": drop schema " ~ database ~ ", then run this again"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
