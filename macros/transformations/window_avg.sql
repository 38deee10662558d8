{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The mean of a numeric column: its exact sum divided by its count. #}
{% macro window_avg(column, duration) -%}
    {{ return(adapter.dispatch('window_avg', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_avg(column, duration) -%}
    CAST(SUM({{ column }}) OVER last_{{ duration }} AS DOUBLE) / NULLIF(COUNT({{ column }}) OVER last_{{ duration }}, 0)
{%- endmacro %}
