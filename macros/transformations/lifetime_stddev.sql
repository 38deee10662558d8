{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The sample standard deviation of a numeric column. #}
{% macro lifetime_stddev(column) -%}
    {{ return(adapter.dispatch('lifetime_stddev', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__lifetime_stddev(column) -%}
    STDDEV_SAMP(CAST({{ column }} AS DOUBLE)) OVER lifetime
{%- endmacro %}
