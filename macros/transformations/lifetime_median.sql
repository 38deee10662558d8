{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The middle value of a numeric column, or the mean of the two in the middle. #}
{% macro lifetime_median(column) -%}
    {{ return(adapter.dispatch('lifetime_median', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_median(column) -%}
    QUANTILE_CONT(CAST({{ column }} AS DOUBLE), 0.5) OVER lifetime
{%- endmacro %}
