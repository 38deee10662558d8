{# What the comment of a table says of it; an empty mapping for none. #}
{% macro stamped(relation) %}
    {%- if relation is none or relation.type != 'table' %}{{ return({}) }}{% endif -%}
    {%- set query -%}
        select comment from duckdb_tables()
        where database_name = '{{ relation.database }}' and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set rows = run_query(query).rows -%}
    {%- set comment = rows[0][0] if rows else none -%}
    {%- set said = fromjson(comment, none) if comment else none -%}
    {%- set stamp = said.get('fsync') if said is mapping else none -%}
    {{ return(stamp if stamp is mapping else {}) }}
{% endmacro %}


{# Writes the comment: `fsync push` goes by the version and the start of the build (UTC), `fsync build` tells the rest. #}
{% macro stamp(target, about, found) %}
    {%- set built_at = run_started_at.strftime('%Y-%m-%dT%H:%M:%S.') ~ run_started_at.strftime('%f')[:3] ~ 'Z' -%}
    {%- set stamp = {'fsync': dict(found, view=model.name, hash=about.hash, built_at=built_at)} -%}
    {%- call statement('stamp') -%}
        comment on table {{ target }} is '{{ tojson(stamp) }}'
    {%- endcall -%}
{% endmacro %}


{# What a build has come to: the rows of its table, and the seconds since it began. #}
{% macro cost(target, began) %}
    {%- set rows = run_query('select count(*) from ' ~ target).rows[0][0] -%}
    {{ return({'rows': rows, 'seconds': (modules.datetime.datetime.now() - began).total_seconds() | round(3)}) }}
{% endmacro %}


{# When a table was built and what its newest event is, as its comment says: a query of one row (newest_event, built_at). #}
{% macro stamp_times(relation) %}
    {{ return(adapter.dispatch('stamp_times', 'fsync')(relation)) }}
{% endmacro %}


{% macro duckdb__stamp_times(relation) %}
    select
        max(cast(comment ->> '$.fsync.newest_event' as timestamp)) as newest_event,
        max(cast(rtrim(comment ->> '$.fsync.built_at', 'Z') as timestamp)) as built_at
    from duckdb_tables()
    where database_name = '{{ relation.database }}' and schema_name = '{{ relation.schema }}'
        and table_name = '{{ relation.identifier }}' and comment like '{"fsync":%'
{% endmacro %}
