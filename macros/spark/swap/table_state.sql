{% macro table_state(relation) -%}
    {%- set state = {
        "columns": {}, "comments": {}, "seen": {}, "open": {}, "runs": {},
        "published": "", "sql": "", "backfill": "", "described": ""
    } -%}
    {%- if relation is none -%}
        {{ return(state) }}
    {%- endif -%}
    {%- set part = namespace(holds_columns=true) -%}
    {%- for row in run_query("describe extended " ~ relation) -%}
        {%- if not row[0] or row[0].startswith("#") -%}
            {%- set part.holds_columns = false -%}
        {%- elif part.holds_columns -%}
            {%- do state.columns.update({row[0] | lower: row[1]}) -%}
            {%- do state.comments.update({row[0] | lower: (row[2] or "") | trim}) -%}
        {%- elif row[0] == "Table Properties" -%}
            {%- for property in row[1][1:-1].split(", ") if property.startswith("datacore.") -%}
                {%- set name, _, value = property[9:].partition("=") -%}
                {%- if name.startswith("seen.") -%}
                    {%- do state.seen.update({name[5:]: value | int}) -%}
                {%- elif name.startswith("open.") -%}
                    {%- do state.open.update({name[5:]: value | int}) if value -%}
                {%- elif name.startswith("run.") -%}
                    {%- do state.runs.update({name[4:]: value.split()}) -%}
                {%- elif name in ("published", "sql", "backfill", "described") -%}
                    {%- do state.update({name: value}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state) }}
{%- endmacro %}
