{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The number of different non-null values of a column. #}
{% macro lifetime_count_distinct(column) -%}
    {{ return(adapter.dispatch('lifetime_count_distinct', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_count_distinct(column) -%}
    COUNT(DISTINCT {{ column }}) OVER lifetime
{%- endmacro %}
