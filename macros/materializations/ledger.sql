{# The relation of a view's ledger. #}
{% macro ledger(relation) %}
    {{ return(api.Relation.create(database=relation.database, schema=relation.schema,
        identifier=relation.identifier ~ '__ledger', type='table')) }}
{% endmacro %}


{# A name for each entity column on both sides of a join: a.user_id = b.user_id and … #}
{% macro same_entity(about, left, right) -%}
    {% for key in about.entity %}{{ left }}.{{ key }} = {{ right }}.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}


{#
    The fingerprint of the events that a condition is true of: the sum of their hashes, 0 of none. A row's hash is hashed
    once more, since DuckDB takes a row's last value into its hash by XOR: where two rows swap theirs, the sum of plain
    hashes can stay the same.
#}
{% macro fingerprint(condition) -%}
    coalesce(sum(hash(hash(events))) filter (where {{ condition }}), 0)
{%- endmacro %}


{#
    Takes the fingerprints of every entity's events into a temporary table: `settled_then` and `recent_then`, parted
    by the instant `settled_at` of the ledger, and `settled_now` and `recent_now`, parted by that of this build. Where
    what was settled is as it was, only the events since then are read, and `settled_now` is what to add.
#}
{% macro take_fingerprints(sql, about, settled_at, found) %}
    {%- set keys = about.entity | join(', ') -%}
    {%- set parts = [
        ('settled_then', '<', settled_at), ('recent_then', '>=', settled_at),
        ('settled_now', '<', found.settled_at), ('recent_now', '>=', found.settled_at),
    ] -%}
    {%- call statement('fingerprints') -%}
        create or replace temporary table fingerprints__{{ this.identifier }} as
        {{ fsync.with_events(sql) }}
        select
            {{ keys }}
            {%- for name, compare, instant in parts %},
            {{ fsync.fingerprint('event_at ' ~ compare ~ " timestamp '" ~ instant ~ "'") }} as {{ name }}
            {%- endfor %}
        from events
        where {% for key in about.entity %}{{ key }} is not null and {% endfor %}event_at is not null
            {%- if found.is_settled %}
            and event_at >= timestamp '{{ settled_at }}'
            {%- endif %}
        group by {{ keys }}
    {%- endcall -%}
{% endmacro %}


{# Keeps the fingerprints for the next build: all of them, or what has been added to those that are there. #}
{% macro keep_ledger(about, ledger, found) %}
    {%- set fingerprints = 'fingerprints__' ~ this.identifier -%}
    {%- set keys = about.entity | join(', ') -%}
    {%- call statement('ledger') -%}
        {% if found.is_settled -%}
        update {{ ledger }} as was
        set settled = was.settled + now.settled_now, recent = now.recent_now
        from {{ fingerprints }} as now
        where {{ fsync.same_entity(about, 'was', 'now') }};
        update {{ ledger }} as was
        set recent = 0
        where was.recent <> 0
            and not exists (select 1 from {{ fingerprints }} as now where {{ fsync.same_entity(about, 'was', 'now') }});
        insert into {{ ledger }}
        select {{ keys }}, settled_now, recent_now
        from {{ fingerprints }} as now
        where not exists (select 1 from {{ ledger }} as was where {{ fsync.same_entity(about, 'was', 'now') }});
        delete from {{ ledger }} where settled = 0 and recent = 0;
        {%- else -%}
        create or replace table {{ ledger }} as
        select {{ keys }}, settled_now as settled, recent_now as recent
        from {{ fingerprints }}
        where settled_now <> 0 or recent_now <> 0;
        {%- endif %}
        drop table {{ fingerprints }}
    {%- endcall -%}
{% endmacro %}
