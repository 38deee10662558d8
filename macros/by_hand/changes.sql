{#
    The rows that frames run over, for a model by hand: each event at its instant, and a row without values at the
    end of each window, so that a window is evaluated there too.

    Has the entity columns, `changed_at` (UTC, cut to milliseconds), `is_event` (1 for an event, for counting),
    `columns`, and with `order_by` also `event_number`, which `latest`, `window_first` and `window_last` need. Rows
    without an entity or a time are left out.

        {{ fsync.changes(ref('orders'), entity=['user_id'], event_time='ordered_at', columns=['amount'],
                         windows=['7d', '30d'], order_by=['order_id']) }}
#}
{% macro changes(relation, entity, event_time, columns=[], windows=[], order_by=[]) -%}
    {{ return(adapter.dispatch('changes', 'fsync')(relation, entity, event_time, columns, windows, order_by)) }}
{%- endmacro %}

{% macro duckdb__changes(relation, entity, event_time, columns, windows, order_by) -%}
    {%- set keys = entity | join(', ') -%}
    with known as (
        select
            {{ keys }},
            date_trunc('millisecond', {{ event_time }}) as event_at
            {%- for column in columns %}, {{ column }}{% endfor %}
            {%- if order_by %},
            row_number() over (
                partition by {{ keys }}
                order by date_trunc('millisecond', {{ event_time }}), {{ order_by | join(', ') }}
            ) as event_number
            {%- endif %}
        from {{ relation }}
        where {% for key in entity %}{{ key }} is not null and {% endfor %}{{ event_time }} is not null
    )
    select
        {{ keys }}, event_at as changed_at, 1 as is_event
        {%- for column in columns %}, {{ column }}{% endfor %}{{ ', event_number' if order_by }}
    from known
    {%- for window in windows %}
    union all
    select
        {{ keys }}, event_at + {{ fsync.interval(window) }}, null
        {%- for column in columns %}, null{% endfor %}{{ ', null' if order_by }}
    from known
    {%- endfor %}
{%- endmacro %}
