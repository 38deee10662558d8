{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The smallest value of a column. #}
{% macro window_min(column, duration) -%}
    {{ return(adapter.dispatch('window_min', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_min(column, duration) -%}
    MIN({{ column }}) OVER last_{{ duration }}
{%- endmacro %}
