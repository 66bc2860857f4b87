{% macro publication_of(relation) -%}
    {%- set found = {"run": none, "step": none, "published": ""} -%}
    {%- set name = relation.identifier | lower -%}
    {%- set lock = lock_of(relation).identifier | lower -%}
    {%- for row in run_query("show table extended in " ~ relation.schema ~ " like '" ~ name ~ "|" ~ lock ~ "'") -%}
        {%- if row[1] == lock -%}
            {%- set held = modules.re.search("select '([^']*)' as run, (\\d+) as step", row["information"]) -%}
            {%- do found.update({"run": held.group(1) if held else "unknown", "step": held.group(2) if held else "0"}) -%}
        {%- elif row[1] == name -%}
            {%- set published = modules.re.search("datacore\\.published=([^],]*)", row["information"]) -%}
            {%- do found.update({"published": published.group(1)}) if published -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
