{#
    The frames that transformations run over, for the WINDOW clause of a model by hand: `timeline`, `last_30d` for
    each window, and with `lifetime` also that.

        from changes
        window {{ fsync.frames(entity=['user_id'], windows=['7d', '30d'], lifetime=true) }}
#}
{% macro frames(entity, windows=[], lifetime=false) -%}
    {{ return(adapter.dispatch('frames', 'fsync')(entity, windows, lifetime)) }}
{%- endmacro %}

{% macro duckdb__frames(entity, windows, lifetime) -%}
    {%- set by = 'partition by ' ~ entity | join(', ') ~ ' order by changed_at' -%}
    timeline as ({{ by }})
    {%- for window in windows %},
    last_{{ window }} as (
        {{ by }}
        range between {{ fsync.interval(window) }} - interval 1 millisecond preceding and current row
    )
    {%- endfor %}
    {%- if lifetime %},
    lifetime as ({{ by }} range between unbounded preceding and current row)
    {%- endif %}
{%- endmacro %}
