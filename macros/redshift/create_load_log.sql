{% macro create_load_log() %}
    {%- if execute -%}
        {%- call statement('create_load_log', auto_begin=false) -%}
            create schema if not exists {{ load_log().schema }};

            create table if not exists {{ load_log() }} (
                table_name varchar(127) not null,
                dt date not null,
                event varchar(16) not null,
                location varchar(1024),
                row_count bigint not null,
                loaded_at timestamp not null default sysdate,
                invocation_id varchar(64) not null
            )
            diststyle all
            sortkey (table_name, dt)
        {%- endcall -%}
    {%- endif -%}
{% endmacro %}
