{% macro table_state(relation) -%}
    {%- set state = {"seen": {}, "runs": {}, "published": "", "sql": "", "backfill": ""} -%}
    {%- for row in run_query("show tblproperties " ~ relation) if row[0].startswith("datacore.") -%}
        {%- set name = row[0][9:] -%}
        {%- if name.startswith("seen.") -%}
            {%- do state.seen.update({name[5:]: row[1] | int}) -%}
        {%- elif name.startswith("run.") -%}
            {%- do state.runs.update({name[4:]: row[1].split()}) -%}
        {%- elif name in ("published", "sql", "backfill") -%}
            {%- do state.update({name: row[1]}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state) }}
{%- endmacro %}
