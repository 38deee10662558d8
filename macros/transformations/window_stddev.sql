{# Compiled by fsync from its transformations: change those, then run `fsync compile`. #}
{# The sample standard deviation of a numeric column. #}
{% macro window_stddev(column, duration) -%}
    {{ return(adapter.dispatch('window_stddev', 'fsync')(column, duration)) }}
{%- endmacro %}

{% macro duckdb__window_stddev(column, duration) -%}
    STDDEV_SAMP(CAST({{ column }} AS DOUBLE)) OVER last_{{ duration }}
{%- endmacro %}
