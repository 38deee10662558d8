{#
    The instant that a compiled model's markers must have reached; the beginning of time in the model itself, which
    always stands for the whole table. The materialization `validity_table` puts another in its place when only the
    later rows of an entity are computed: a marker has no values, so that without earlier ones these stay the same.
#}
{% macro changed_from() -%}
    CAST('0001-01-01' AS TIMESTAMP) /* in an incremental build: the first instant that is computed anew */
{%- endmacro %}
