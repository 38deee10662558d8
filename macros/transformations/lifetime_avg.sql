{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The mean of a numeric column: its exact sum divided by its count. #}
{% macro lifetime_avg(column) -%}
    {{ return(adapter.dispatch('lifetime_avg', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_avg(column) -%}
    CAST(SUM({{ column }}) OVER lifetime AS DOUBLE) / NULLIF(COUNT({{ column }}) OVER lifetime, 0)
{%- endmacro %}
