{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The oldest value of a column that is not NULL. #}
{% macro lifetime_first(column, order_by='event_number') -%}
    {{ return(adapter.dispatch('lifetime_first', 'fsync')(column, order_by)) }}
{%- endmacro %}

{% macro duckdb__lifetime_first(column, order_by) -%}
    ARG_MIN({{ column }}, {{ order_by }}) OVER lifetime
{%- endmacro %}
