{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The newest value of a column that is not NULL. #}
{% macro latest(column) -%}
    {{ return(adapter.dispatch('latest', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__latest(column) -%}
    LAST_VALUE({{ column }} IGNORE NULLS) OVER newest
{%- endmacro %}
