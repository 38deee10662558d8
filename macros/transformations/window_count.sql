{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The number of events, or of non-null values of a column. #}
{% macro window_count(column, duration, leaves=none) -%}
    {{ return(adapter.dispatch('window_count', 'fsync')(column, duration, leaves)) }}
{%- endmacro %}

{% macro duckdb__window_count(column, duration, leaves) -%}
    {%- if leaves is none %}
    COUNT({{ column }}) OVER last_{{ duration }}
    {%- else %}
    COALESCE(SUM(CASE leaves WHEN 0 THEN CASE WHEN NOT {{ column }} IS NULL THEN 1 END WHEN {{ leaves }} THEN -(CASE WHEN NOT {{ column }} IS NULL THEN 1 END) END) OVER timeline, 0)
    {%- endif %}
{%- endmacro %}
