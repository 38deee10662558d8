{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The newest value of a column that is not NULL. #}
{% macro lifetime_last(column, order_by='event_number') -%}
    {{ return(adapter.dispatch('lifetime_last', 'fsync')(column, order_by)) }}
{%- endmacro %}

{% macro duckdb__lifetime_last(column, order_by) -%}
    ARG_MAX({{ column }}, {{ order_by }}) OVER lifetime
{%- endmacro %}
