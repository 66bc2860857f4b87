{% macro add_load_columns(existing_relation) %}
    {%- set present = {} -%}
    {%- for column in adapter.get_columns_in_relation(existing_relation) -%}
        {%- do present.update({column.name: canonical_type(column.data_type)}) -%}
    {%- endfor -%}

    {%- set added = [] -%}
    {%- set broken = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- set declared = canonical_type(column.data_type) -%}
        {%- if name not in present -%}
            {%- do added.append(
                'alter table ' ~ existing_relation ~ ' add column ' ~ name ~ ' ' ~ declared
            ) -%}
        {%- elif present[name] != declared -%}
            {%- do broken.append(name ~ ' is ' ~ present[name] ~ ', declared ' ~ declared) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in present if name not in model.columns -%}
        {%- do broken.append(name ~ ' is no longer declared') -%}
    {%- endfor -%}

    {%- if broken -%}
        {%- do exceptions.raise_compiler_error(
            existing_relation.include(database=false) ~ ": " ~ broken | join('; ')
            ~ ". Only adding a column is done in place: dbt build --full-refresh --select "
            ~ model.name ~ " makes the table anew"
        ) -%}
    {%- endif -%}
    {{- return(added) -}}
{% endmacro %}
