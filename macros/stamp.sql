{#
    Writes onto a feature table which version of its view it holds and when its build began (UTC), as the
    table's comment. `fsync push` reads it: it refuses a table of another version, and takes the time as
    the instant up to which the table knows all events.
#}
{% macro stamp(view, hash) -%}
    {{ return(adapter.dispatch('stamp', 'fsync')(view, hash)) }}
{%- endmacro %}

{% macro duckdb__stamp(view, hash) -%}
    {%- set built_at = run_started_at.strftime('%Y-%m-%dT%H:%M:%S.') ~ run_started_at.strftime('%f')[:3] ~ 'Z' -%}
    {%- set stamp = {'fsync': {'view': view, 'hash': hash, 'built_at': built_at}} -%}
    comment on table {{ this }} is '{{ tojson(stamp) }}'
{%- endmacro %}
