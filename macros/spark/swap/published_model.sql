{% macro published_model(name) -%}
    {%- set known = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type in ("model", "snapshot") and node.config.get("location_root") and node.config.materialized != "view" -%}
        {%- if node.name == name -%}
            {{ return(node) }}
        {%- endif -%}
        {%- do known.append(node.name) -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error("no published model is called '" ~ name ~ "'. There are: " ~ known | sort | join(", ")) }}
{%- endmacro %}
