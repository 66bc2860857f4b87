{% macro rollback(model, dt=none) -%}
    {%- set node = published_model(model) -%}
    {%- set relation = api.Relation.create(schema=node.schema, identifier=node.alias, type="table") -%}
    {%- set by_day = node.config.get("partition_by") is not none -%}
    {%- if dt is not none and not by_day -%}
        {{ exceptions.raise_compiler_error(model ~ " has no days: leave out dt") }}
    {%- endif -%}

    {%- do hold_publication(relation) -%}
    {%- set state = table_state(relation) -%}
    {%- set back = {} -%}
    {%- set wrong = [] -%}
    {%- set published = days_of(relation) if by_day else ["all"] -%}
    {%- set asked = [dt | string] if dt is not none else state.runs.get(state.published, []) -%}
    {%- for day in asked -%}
        {%- set now = run_of(relation, day) if day in published else "" -%}
        {%- set earlier = [] -%}
        {%- for run, days in state.runs.items() if day in days and run < now -%}
            {%- do earlier.append(run) -%}
        {%- endfor -%}
        {%- if earlier -%}
            {%- do back.update({day: {"now": now, "then": earlier | max}}) -%}
        {%- else -%}
            {%- do wrong.append(day) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not back -%}
        {%- do release_publication(relation) -%}
        {{ exceptions.raise_compiler_error(
            "not rolled back: " ~ relation ~ ": no earlier build of " ~ (wrong | join(", ") or "it") ~ " is kept. Kept are: "
            ~ (state.runs.keys() | sort | join(", ") or "none")
        ) }}
    {%- endif -%}

    {%- set directories = {} -%}
    {%- for day, runs in back.items() -%}
        {%- set directory = location_of(relation, day).rpartition("/_v/")[0] ~ "/_v/" ~ runs.then -%}
        {%- do directories.setdefault(directory, []).append(day) -%}
    {%- endfor -%}
    {%- for directory, days in directories.items() -%}
        {%- if by_day -%}
            {%- do locate_partitions(relation, directory, days) -%}
        {%- else -%}
            {%- do run_query("alter table " ~ relation ~ " set location '" ~ directory ~ "'") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for day, runs in back.items() -%}
        {%- do log(relation ~ (" " ~ day if by_day else "") ~ ": back from run " ~ runs.now ~ " to " ~ runs.then, info=true) -%}
    {%- endfor -%}
    {%- do log(relation ~ ": no earlier build of " ~ wrong | join(", ") ~ ", left as it is", info=true) if wrong -%}
    {#- A build that is under way finds that the table is not what it looked at. -#}
    {%- do remember(relation, {"published": run_name()}) -%}
    {%- do release_publication(relation) -%}
{%- endmacro %}
