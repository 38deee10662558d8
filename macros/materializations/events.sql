{#
    The query of a compiled model up to its events: what follows can select from `events`. The mark is what
    `is_changed` gives; the text before it ends within `history`, which is closed and not used.
#}
{% macro with_events(sql) %}
    {%- if sql.count(fsync.is_changed()) != 1 -%}
        {{ exceptions.raise_compiler_error("the query of a validity_table needs `and {{ fsync.is_changed() }}` in its CTE `history`, and its text nowhere else") }}
    {%- endif -%}
    {{ return(sql.split(fsync.is_changed())[0] ~ 'true)') }}
{% endmacro %}


{#
    Looks over all events of the source. Returns
    - events, without_entity, without_time: how many can be used, and how many are left out for want of what;
    - settled_at: the instant before which the source is thought not to change any more. Events from the future do
      not settle the present, and what is settled stays so while it is as it was;
    - newest_event: the time of the newest event that can be used, of those before the run began, or none;
    - is_settled: whether the events before the last such instant are those that the ledger knows.
#}
{% macro found_events(sql, about, ledger, settled_at) %}
    {%- set no_entity -%}
        {% for key in about.entity %}{{ key }} is null{{ ' or ' if not loop.last }}{% endfor %}
    {%- endset -%}
    {%- set is_used -%}
        not ({{ no_entity }}) and event_at is not null
    {%- endset -%}
    {%- set started = run_started_at.strftime('%Y-%m-%d %H:%M:%S') -%}
    {%- call statement('events', fetch_result=True) -%}
        {{ fsync.with_events(sql) }}
        select
            count(*) filter (where {{ is_used }}),
            count(*) filter (where {{ no_entity }}),
            count(*) filter (where not ({{ no_entity }}) and event_at is null),
            cast(
                greatest(
                    timestamp '0001-01-01',
                    least(coalesce(max(event_at), timestamp '0001-01-01'), timestamp '{{ started }}')
                        - to_milliseconds({{ about.get('lateness_ms', 0) }})
                ) as varchar
            ),
            {% if ledger is none %}false{% else -%}
            {{ fsync.fingerprint(is_used ~ " and event_at < timestamp '" ~ settled_at ~ "'") }}
                = (select coalesce(sum(settled), 0) from {{ ledger }})
            {%- endif %},
            cast(max(event_at) filter (where {{ is_used }} and event_at < timestamp '{{ started }}') as varchar)
        from events
    {%- endcall -%}
    {%- set row = load_result('events')['data'][0] -%}
    {{ return({
        'events': row[0], 'without_entity': row[1], 'without_time': row[2],
        'settled_at': [row[3], settled_at] | max if row[4] else row[3], 'is_settled': row[4],
        'newest_event': row[5]
    }) }}
{% endmacro %}
