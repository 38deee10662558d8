{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The sum of a numeric column, 0 when there is nothing to add. #}
{% macro window_sum(column, duration, leaves=none) -%}
    {{ return(adapter.dispatch('window_sum', 'fsync')(column, duration, leaves)) }}
{%- endmacro %}

{% macro duckdb__window_sum(column, duration, leaves) -%}
    {%- if leaves is none %}
    COALESCE(SUM({{ column }}) OVER last_{{ duration }}, 0)
    {%- else %}
    COALESCE(SUM(CASE leaves WHEN 0 THEN {{ column }} WHEN {{ leaves }} THEN -({{ column }}) END) OVER timeline, 0)
    {%- endif %}
{%- endmacro %}
