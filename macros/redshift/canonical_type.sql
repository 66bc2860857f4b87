{% macro canonical_type(data_type) %}
    {%- set names = {
        'string': 'character varying(65535)',
        'binary': 'varbyte(65535)',
        'double': 'double precision',
        'tinyint': 'smallint',
        'varchar': 'character varying',
        'char': 'character',
        'decimal': 'numeric',
        'int8': 'bigint',
        'int': 'integer',
        'int4': 'integer',
        'int2': 'smallint',
        'float': 'double precision',
        'float8': 'double precision',
        'float4': 'real',
        'bool': 'boolean',
        'timestamp': 'timestamp without time zone',
        'timestamptz': 'timestamp with time zone',
    } -%}
    {%- set name, parenthesis, length = (data_type | lower | replace(' (', '(')).partition('(') -%}
    {{- return(names.get(name | trim, name | trim) ~ parenthesis ~ length | replace(' ', '')) -}}
{% endmacro %}
