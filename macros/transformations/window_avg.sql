{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The mean of a numeric column: its exact sum divided by its count. #}
{% macro window_avg(column, duration, leaves=none) -%}
    {{ return(adapter.dispatch('window_avg', 'fsync')(column, duration, leaves)) }}
{%- endmacro %}

{% macro duckdb__window_avg(column, duration, leaves) -%}
    {%- if leaves is none %}
    CAST(SUM({{ column }}) OVER last_{{ duration }} AS DOUBLE) / NULLIF(COUNT({{ column }}) OVER last_{{ duration }}, 0)
    {%- else %}
    CAST(SUM(CASE leaves WHEN 0 THEN {{ column }} WHEN {{ leaves }} THEN -({{ column }}) END) OVER timeline AS DOUBLE) / NULLIF(COALESCE(SUM(CASE leaves WHEN 0 THEN CASE WHEN NOT {{ column }} IS NULL THEN 1 END WHEN {{ leaves }} THEN -(CASE WHEN NOT {{ column }} IS NULL THEN 1 END) END) OVER timeline, 0), 0)
    {%- endif %}
{%- endmacro %}
