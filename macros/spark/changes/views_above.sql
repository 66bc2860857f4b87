{% macro views_above(node) -%}
    {%- set found = [] -%}
    {%- for parent_id in node.depends_on.nodes | sort -%}
        {%- set parent = graph.nodes.get(parent_id) -%}
        {%- if parent and parent.resource_type == "model" and parent.config.materialized == "view" -%}
            {%- do found.append(parent.unique_id ~ " " ~ parent.checksum.checksum) -%}
            {%- do found.extend(views_above(parent)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
