{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The number of different non-null values of a column. #}
{% macro window_count_distinct(column, duration) -%}
    {{ return(adapter.dispatch('window_count_distinct', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_count_distinct(column, duration) -%}
    COUNT(DISTINCT {{ column }}) OVER last_{{ duration }}
{%- endmacro %}
