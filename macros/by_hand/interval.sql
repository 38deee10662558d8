{# A duration of specs, such as 30d or 12h, as an interval of SQL. #}
{% macro interval(duration) -%}
    {{ return(adapter.dispatch('interval', 'fsync')(duration)) }}
{%- endmacro %}

{% macro duckdb__interval(duration) -%}
    {%- set units = {'s': 'seconds', 'm': 'minutes', 'h': 'hours', 'd': 'days', 'w': 'weeks'} -%}
    {%- if duration is not string or modules.re.fullmatch('[1-9][0-9]*[smhdw]', duration) is none -%}
        {{ exceptions.raise_compiler_error("'" ~ duration ~ "' is no duration: write 30s, 5m, 12h, 30d, 4w") }}
    {%- endif -%}
    interval '{{ duration[:-1] }}' {{ units[duration[-1]] }}
{%- endmacro %}
