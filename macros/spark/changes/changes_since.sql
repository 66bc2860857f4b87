{% macro changes_since(node, state) -%}
    {%- set reads = reads_of(node) -%}
    {%- set limits = {} -%}
    {%- for parent in reads.published -%}
        {%- set seen_by_parent = table_state(parent.table).seen -%}
        {%- for topic in parent.topics -%}
            {%- set entry = seen_by_parent.get(topic, -1) -%}
            {%- do limits.update({topic: [entry, limits.get(topic, entry)] | min}) -%}
        {%- endfor -%}
    {%- endfor -%}

    {%- set changes = {"days": [], "provisional": [], "seen": {}, "open": {}} -%}
    {%- for topic, types in reads.topics.items() -%}
        {%- set last = state.seen.get(topic, -1) -%}
        {%- set from = [last + 1, state.open.get(topic, last + 1)] | min -%}
        {%- for row in news_of(topic, from, limits.get(topic)) -%}
            {%- set entry = row["entry"] | int -%}
            {%- if entry > last -%}
                {%- do changes.seen.update({topic: [entry, changes.seen.get(topic, entry)] | max}) -%}
            {%- endif -%}
            {%- if row["data_type"] in types -%}
                {%- do changes.days.append(row["dt"]) if entry > last -%}
                {%- if row["opened"] is not none -%}
                    {%- set opened = row["opened"] | int -%}
                    {%- do changes.provisional.append(row["dt"]) -%}
                    {%- do changes.open.update({topic: [opened, changes.open.get(topic, opened)] | min}) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do changes.update({
        "days": changes.days | unique | sort,
        "provisional": changes.provisional | unique | sort,
    }) -%}
    {{ return(changes) }}
{%- endmacro %}
