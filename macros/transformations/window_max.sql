{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The largest value of a column. #}
{% macro window_max(column, duration) -%}
    {{ return(adapter.dispatch('window_max', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_max(column, duration) -%}
    MAX({{ column }}) OVER last_{{ duration }}
{%- endmacro %}
