{% macro reads_of(node, found=none) -%}
    {%- set found = found or {"topics": {}, "published": []} -%}
    {%- for parent_id in node.depends_on.nodes -%}
        {%- set parent = graph.sources.get(parent_id) or graph.nodes.get(parent_id) -%}
        {%- if parent_id.startswith("source.") -%}
            {%- if parent.source_name == "raw" -%}
                {%- set topic = parent.config.meta.topic -%}
                {%- do found.topics.setdefault(topic, []).append(parent.name) -%}
            {%- endif -%}
        {%- elif parent.config.incremental_strategy == "swap_partitions" -%}
            {%- set topics = reads_of(parent).topics -%}
            {%- for topic, types in topics.items() -%}
                {%- do found.topics.setdefault(topic, []).extend(types) -%}
            {%- endfor -%}
            {%- do found.published.append({
                "table": api.Relation.create(schema=parent.schema, identifier=parent.alias),
                "topics": topics.keys() | list,
            }) -%}
        {%- else -%}
            {%- do reads_of(parent, found) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
