{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The value that a fraction of the values of a numeric column lies below, interpolated. #}
{% macro lifetime_percentile(column, fraction) -%}
    {{ return(adapter.dispatch('lifetime_percentile', 'fsync')(column, fraction)) }}
{%- endmacro %}

{% macro duckdb__lifetime_percentile(column, fraction) -%}
    QUANTILE_CONT(CAST({{ column }} AS DOUBLE), {{ fraction }}) OVER lifetime
{%- endmacro %}
