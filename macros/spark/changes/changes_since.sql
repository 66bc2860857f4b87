{% macro changes_since(node, seen) -%}
    {%- set reads = reads_of(node) -%}
    {%- set limits = {} -%}
    {%- for parent in reads.published -%}
        {%- set seen_by_parent = table_state(parent.table).seen -%}
        {%- for topic in parent.topics -%}
            {%- set entry = seen_by_parent.get(topic, -1) -%}
            {%- do limits.update({topic: [entry, limits.get(topic, entry)] | min}) -%}
        {%- endfor -%}
    {%- endfor -%}

    {%- set news = [] -%}
    {%- for topic, types in reads.topics.items() -%}
        {%- set last = seen.get(topic, -1) -%}
        {%- set query -%}
            select
                '{{ topic }}' as topic,
                max(sequence) as entry,
                concat_ws(' ', sort_array(collect_set(
                    if(touched.data_type in ('{{ types | unique | join("', '") }}'), touched.dt, null)
                ))) as days
            from {{ api.Relation.create(schema="platform", identifier="hour") }}
            lateral view outer explode(hours) as touched
            where
                topic = '{{ topic }}'
                and block >= {{ [last, 0] | max // 1000 }}
                and sequence > {{ last }}
                {%- if topic in limits %}
                and sequence <= {{ limits[topic] }}
                {%- endif %}
        {%- endset -%}
        {%- do news.append(query) -%}
    {%- endfor -%}

    {%- set changes = {"days": [], "seen": {}} -%}
    {%- if news -%}
        {%- for row in run_query(news | join("\nunion all\n")) if row["entry"] is not none -%}
            {%- do changes.seen.update({row["topic"]: row["entry"] | int}) -%}
            {%- do changes.days.extend(row["days"].split()) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do changes.update({"days": changes.days | unique | sort}) -%}
    {{ return(changes) }}
{%- endmacro %}
