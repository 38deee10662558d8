{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The value that a fraction of the values of a numeric column lies below, interpolated. #}
{% macro window_percentile(column, fraction, duration) -%}
    {{ return(adapter.dispatch('window_percentile', 'fsync')(column, fraction, duration)) }}
{%- endmacro %}

{% macro duckdb__window_percentile(column, fraction, duration) -%}
    QUANTILE_CONT(CAST({{ column }} AS DOUBLE), {{ fraction }}) OVER last_{{ duration }}
{%- endmacro %}
