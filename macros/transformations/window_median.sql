{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The middle value of a numeric column, or the mean of the two in the middle. #}
{% macro window_median(column, duration) -%}
    {{ return(adapter.dispatch('window_median', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_median(column, duration) -%}
    QUANTILE_CONT(CAST({{ column }} AS DOUBLE), 0.5) OVER last_{{ duration }}
{%- endmacro %}
