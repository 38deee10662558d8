{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The number of events, or of non-null values of a column. #}
{% macro lifetime_count(column) -%}
    {{ return(adapter.dispatch('lifetime_count', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_count(column) -%}
    COUNT({{ column }}) OVER lifetime
{%- endmacro %}
