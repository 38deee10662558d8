{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The number of events, or of non-null values of a column. #}
{% macro window_count(column, duration) -%}
    {{ return(adapter.dispatch('window_count', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_count(column, duration) -%}
    COUNT({{ column }}) OVER last_{{ duration }}
{%- endmacro %}
