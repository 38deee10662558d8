{#
    The instant at which data tests look, as SQL: the one given, else FSYNC_AS_OF, else vars.fsync.as_of (of a project
    whose data ends), else the start of the run. Without a zone it is UTC.
#}
{% macro as_of(given=none) %}
    {%- set said = given or env_var('FSYNC_AS_OF', '') or var('fsync', {}).get('as_of') -%}
    {%- if said -%}
        {%- set at = modules.datetime.datetime.fromisoformat(said | string | trim) -%}
    {%- else -%}
        {%- set at = run_started_at -%}
    {%- endif -%}
    {%- if at.tzinfo -%}{%- set at = at.astimezone(modules.pytz.timezone('UTC')) -%}{%- endif -%}
    {{ return("timestamp '" ~ at.strftime('%Y-%m-%d %H:%M:%S.') ~ at.strftime('%f')[:3] ~ "'") }}
{% endmacro %}
