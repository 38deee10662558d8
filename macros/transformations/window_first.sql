{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The oldest value of a column that is not NULL. #}
{% macro window_first(column, duration, order_by='event_number') -%}
    {{ return(adapter.dispatch('window_first', 'fsync')(column, duration, order_by)) }}
{%- endmacro %}

{% macro duckdb__window_first(column, duration, order_by) -%}
    ARG_MIN({{ column }}, {{ order_by }}) OVER last_{{ duration }}
{%- endmacro %}
