{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The sum of a numeric column, 0 when there is nothing to add. #}
{% macro window_sum(column, duration) -%}
    {{ return(adapter.dispatch('window_sum', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_sum(column, duration) -%}
    COALESCE(SUM({{ column }}) OVER last_{{ duration }}, 0)
{%- endmacro %}
