{% macro news_of(topic, from, limit=none) -%}
    {%- set query -%}
        with

        hours as (
            select
                touched.data_type,
                touched.dt,
                max(sequence) as entry,
                max_by(touched.sealed, sequence) as is_sealed,
                min(if(touched.sealed, null, sequence)) as opened
            from {{ api.Relation.create(schema="platform", identifier="hour") }}
            lateral view outer explode(hours) as touched
            where
                topic = '{{ topic }}'
                and block >= {{ from // 1000 }}
                and sequence >= {{ from }}
                {{ "and sequence <= " ~ limit if limit is not none }}
            group by touched.data_type, touched.dt, touched.hour
        )

        select
            data_type,
            dt,
            max(entry) as entry,
            min(if(is_sealed, null, opened)) as opened
        from hours
        group by data_type, dt
        order by data_type, dt
    {%- endset -%}
    {{ return(asked_once(query)) }}
{%- endmacro %}
