{#
    The condition of a compiled model's `history` that an incremental build narrows: true in the model itself,
    which always stands for the whole table; the materialization `validity_table` puts another condition in its
    place when only some entities have changed.
#}
{% macro is_changed() -%}
    TRUE /* in an incremental build: of an entity whose events have changed, and not too old to matter */
{%- endmacro %}
