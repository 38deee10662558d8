{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The sum of a numeric column, 0 when there is nothing to add. #}
{% macro lifetime_sum(column) -%}
    {{ return(adapter.dispatch('lifetime_sum', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_sum(column) -%}
    COALESCE(SUM({{ column }}) OVER lifetime, 0)
{%- endmacro %}
