{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The largest value of a column. #}
{% macro lifetime_max(column) -%}
    {{ return(adapter.dispatch('lifetime_max', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_max(column) -%}
    MAX({{ column }}) OVER lifetime
{%- endmacro %}
