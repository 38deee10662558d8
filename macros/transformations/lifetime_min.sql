{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The smallest value of a column. #}
{% macro lifetime_min(column) -%}
    {{ return(adapter.dispatch('lifetime_min', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_min(column) -%}
    MIN({{ column }}) OVER lifetime
{%- endmacro %}
