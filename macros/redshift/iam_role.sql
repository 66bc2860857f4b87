{% macro iam_role() %}
    {#- production must say who it is; elsewhere the stand-in takes any role -#}
    {%- if target.name == 'prod' -%}
        {%- set role = env_var('DATACORE_REDSHIFT_IAM_ROLE') -%}
    {%- else -%}
        {%- set role = env_var(
            'DATACORE_REDSHIFT_IAM_ROLE',
            'arn:aws:iam::000000000000:role/datacore-redshift'
        ) -%}
    {%- endif -%}
    iam_role {{ 'default' if role == 'default' else dbt.string_literal(role) }}
{%- endmacro %}
