{#
    The instant until which a row of a model by hand holds: the next change, or the end of time. Rows of one instant
    end where they begin: leave them out with `where valid_from < valid_to`.
#}
{% macro valid_to() -%}
    {{ return(adapter.dispatch('valid_to', 'fsync')()) }}
{%- endmacro %}

{% macro duckdb__valid_to() -%}
    lead(changed_at, 1, timestamp '9999-12-31') over timeline
{%- endmacro %}
