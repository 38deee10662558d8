{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The newest value of a column that is not NULL, for ever or for as long as a ttl says. #}
{% macro latest(column, ttl=none, order_by='event_number') -%}
    {{ return(adapter.dispatch('latest', 'fsync')(column, ttl, order_by)) }}
{%- endmacro %}

{% macro duckdb__latest(column, ttl, order_by) -%}
    ARG_MAX({{ column }}, {{ order_by }}) OVER {% if ttl is none %}lifetime{% else %}last_{{ ttl }}{% endif %}
{%- endmacro %}
