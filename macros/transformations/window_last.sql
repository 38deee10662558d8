{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The newest value of a column that is not NULL. #}
{% macro window_last(column, duration, order_by='event_number') -%}
    {{ return(adapter.dispatch('window_last', 'fsync')(column, duration, order_by)) }}
{%- endmacro %}

{% macro duckdb__window_last(column, duration, order_by) -%}
    ARG_MAX({{ column }}, {{ order_by }}) OVER last_{{ duration }}
{%- endmacro %}
