{#
    Builds a validity table, anew or only where its events have changed. Both ways give the same rows.

    Beside the table <view> stands <view>__ledger: for each entity, how many events its rows were made of, and a
    fingerprint of them. A build takes the fingerprints of the source again, and computes the entities anew whose
    fingerprints differ: from the first instant that may have changed, `changed_from`, on. So it does not matter
    what happened to the source: events that are appended, late, repeated, corrected or deleted are all seen.

    The ledger also has the fingerprint of the events before an instant, `settled_at`: the newest event less the
    lateness of the source. Where that is still the same, only rows after `settled_at` are computed anew; where it
    is not, all rows of the entity are. Lateness makes builds fast; they are right without it.

    Everything is one transaction: a build that is cut off leaves table and ledger as they were.

    The table's comment says which version of the view it holds, when its build began, and what was left out. A table
    of another version is built anew, as is one without a ledger, and every table with --full-refresh.

    The model's config.meta.fsync has: hash, entity, longest_window_ms (left away when a value depends on events of
    any age), lateness_ms (left away for none).
#}
{% materialization validity_table, adapter='duckdb' %}

    {%- set about = config.get('meta', {}).get('fsync') -%}
    {%- if not about or not about.get('entity') or not about.get('hash') -%}
        {{ exceptions.raise_compiler_error("a validity_table needs config.meta.fsync with entity and hash") }}
    {%- endif -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set ledger = fsync.ledger(target) -%}
    {%- set before = fsync.stamped(existing) -%}
    {%- set is_incremental = not should_full_refresh() and before.get('hash') == about.hash
        and before.get('settled_at') and load_cached_relation(ledger) is not none -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {# reading the source twice must give the same events #}
    {%- call statement('begin') %}select 1{% endcall -%}
    {%- set found = fsync.found_events(sql, about) -%}
    {%- do fsync.take_fingerprints(sql, about, before.get('settled_at') if is_incremental else none, found.settled_at) -%}
    {%- if is_incremental -%}
        {%- do fsync.rebuild_changed(sql, about, target, ledger, before.settled_at) -%}
    {%- else -%}
        {%- if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif -%}
        {%- call statement('main') %}{{ create_table_as(False, target, sql) }}{% endcall -%}
    {%- endif -%}
    {%- do fsync.keep_ledger(about, ledger) -%}
    {%- do persist_docs(target, model) -%}
    {%- do fsync.stamp(target, about, found, is_incremental) -%}
    {%- do apply_grants(target, config.get('grants'), should_revoke=should_revoke(existing, not is_incremental)) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}

{% endmaterialization %}


{# The relation of a view's ledger. #}
{% macro ledger(relation) %}
    {{ return(api.Relation.create(database=relation.database, schema=relation.schema,
        identifier=relation.identifier ~ '__ledger', type='table')) }}
{% endmacro %}


{#
    The query of a compiled model up to its events: what follows can select from `events`. The mark is what
    `is_changed` gives; the text before it ends within `history`, which is closed and not used.
#}
{% macro with_events(sql) %}
    {%- if fsync.is_changed() not in sql -%}
        {{ exceptions.raise_compiler_error("the query of a validity_table needs `and {{ fsync.is_changed() }}` in its CTE `history`") }}
    {%- endif -%}
    {{ return(sql.split(fsync.is_changed())[0] ~ 'true)') }}
{% endmacro %}


{# A name for each entity column on both sides of a join: a.user_id = b.user_id and … #}
{% macro same_entity(about, left, right) -%}
    {% for key in about.entity %}{{ left }}.{{ key }} = {{ right }}.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}


{#
    Counts the events of the source. Returns events, without_entity, without_time, and settled_at: the instant
    before which the source is thought not to change any more. Events from the future do not settle the present.
#}
{% macro found_events(sql, about) %}
    {%- set no_entity -%}
        {% for key in about.entity %}{{ key }} is null{{ ' or ' if not loop.last }}{% endfor %}
    {%- endset -%}
    {%- set started = run_started_at.strftime('%Y-%m-%d %H:%M:%S') -%}
    {%- call statement('events', fetch_result=True) -%}
        {{ fsync.with_events(sql) }}
        select
            count(*) filter (where not ({{ no_entity }}) and event_at is not null),
            count(*) filter (where {{ no_entity }}),
            count(*) filter (where not ({{ no_entity }}) and event_at is null),
            cast(
                least(max(event_at), timestamp '{{ started }}')
                - to_milliseconds({{ about.get('lateness_ms', 0) }}) as varchar
            )
        from events
    {%- endcall -%}
    {%- set row = load_result('events')['data'][0] -%}
    {{ return({'events': row[0], 'without_entity': row[1], 'without_time': row[2], 'settled_at': row[3] or started}) }}
{% endmacro %}


{#
    Takes the fingerprint of every entity's events into the temporary table `fingerprints`: of all of them, of those
    before `old`, where the last build was settled, and of those before `new`, where this one is.
#}
{% macro take_fingerprints(sql, about, old, new) %}
    {%- set keys = about.entity | join(', ') -%}
    {%- set columns -%}
        {{ keys }},
        count(*) as events,
        sum(hash(events)) as fingerprint,
        {% if old is not none %}sum(hash(events)) filter (where event_at < timestamp '{{ old }}') as settled_then,{% endif %}
        sum(hash(events)) filter (where event_at < timestamp '{{ new }}') as settled_now
    {%- endset -%}
    {%- call statement('fingerprints') -%}
        create or replace temporary table fingerprints__{{ this.identifier }} as
        {{ fsync.with_events(sql) }}
        select {{ columns }}
        from events
        where {% for key in about.entity %}{{ key }} is not null and {% endfor %}event_at is not null
        group by {{ keys }}
    {%- endcall -%}
{% endmacro %}


{# Keeps the fingerprints for the next build. #}
{% macro keep_ledger(about, ledger) %}
    {%- call statement('ledger') -%}
        create or replace table {{ ledger }} as
        select {{ about.entity | join(', ') }}, events, fingerprint, settled_now as settled
        from fingerprints__{{ this.identifier }};
        drop table fingerprints__{{ this.identifier }}
    {%- endcall -%}
{% endmacro %}


{# Computes the rows of the entities whose events have changed, and puts them in the place of the old ones. #}
{% macro rebuild_changed(sql, about, target, ledger, settled_at) %}
    {%- set changed = 'changed__' ~ this.identifier -%}
    {%- set fresh = 'fresh__' ~ this.identifier -%}
    {%- set keys = about.entity | join(', ') -%}
    {%- set values = [] -%}
    {%- for column in adapter.get_columns_in_relation(target) if column.name not in about.entity + ['valid_from', 'valid_to'] -%}
        {%- do values.append('old.' ~ column.name) -%}
    {%- endfor -%}

    {%- call statement('changed') -%}
        create or replace temporary table {{ changed }} as
        select
            {{ keys }},
            case
                when was.settled is not distinct from now.settled_then then timestamp '{{ settled_at }}'
                else timestamp '0001-01-01'
            end as changed_from
        from {{ ledger }} as was
        full join fingerprints__{{ this.identifier }} as now using ({{ keys }})
        where was.events is distinct from now.events or was.fingerprint is distinct from now.fingerprint
    {%- endcall -%}

    {#
        Their rows from `changed_from` on; what came before it is read only as far as windows reach back. Instants
        stand as constants, so that a scan can use them, and entities are matched by equality alone: with an
        inequality in it, DuckDB's join goes through every (entity, instant) of the source first.
    #}
    {%- set reach_ms = about.get('longest_window_ms') -%}
    {%- set is_anew -%}
        exists (
            select 1 from {{ changed }} as changed
            where {{ fsync.same_entity(about, 'changed', 'events') }} and changed.changed_from < timestamp '{{ settled_at }}'
        )
    {%- endset -%}
    {%- set is_changed -%}
        exists (select 1 from {{ changed }} as changed where {{ fsync.same_entity(about, 'changed', 'events') }})
        {%- if reach_ms is not none %}
        and (events.event_at >= timestamp '{{ settled_at }}' - to_milliseconds({{ reach_ms }}) or {{ is_anew }})
        {%- endif %}
    {%- endset -%}
    {%- set changed_from -%}
        (select changed.changed_from from {{ changed }} as changed where {{ fsync.same_entity(about, 'changed', 'history') }})
    {%- endset -%}
    {%- set query = sql | replace(fsync.is_changed(), is_changed) | replace(fsync.changed_from(), changed_from) -%}
    {%- call statement('fresh') -%}
        create or replace temporary table {{ fresh }} as
        select table_.*
        from ({{ query }}) as table_
        join {{ changed }} as changed on {{ fsync.same_entity(about, 'changed', 'table_') }}
        where table_.valid_from >= changed.changed_from
    {%- endcall -%}

    {# the row that held at `changed_from` goes on until the first of the new ones; where all is anew, none held #}
    {%- call statement('going on') -%}
        insert into {{ fresh }} by name
        select
            {% for key in about.entity %}old.{{ key }}, {% endfor %}
            old.valid_from,
            coalesce(following.valid_from, timestamp '9999-12-31') as valid_to
            {%- for value in values %}, {{ value }}{% endfor %}
        from {{ target }} as old
        join {{ changed }} as changed on {{ fsync.same_entity(about, 'changed', 'old') }}
        left join (select {{ keys }}, min(valid_from) as valid_from from {{ fresh }} group by {{ keys }}) as following
            on {{ fsync.same_entity(about, 'following', 'old') }}
        where old.valid_from < timestamp '{{ settled_at }}' and old.valid_to >= timestamp '{{ settled_at }}'
            and changed.changed_from = timestamp '{{ settled_at }}'
    {%- endcall -%}

    {%- call statement('main') -%}
        delete from {{ target }} as old
        using {{ changed }} as changed
        where {{ fsync.same_entity(about, 'changed', 'old') }} and old.valid_to >= changed.changed_from;
        insert into {{ target }} by name from {{ fresh }};
        drop table {{ fresh }};
        drop table {{ changed }}
    {%- endcall -%}
{% endmacro %}


{# What the comment of a table says of it; an empty mapping for none. #}
{% macro stamped(relation) %}
    {%- if relation is none or relation.type != 'table' %}{{ return({}) }}{% endif -%}
    {%- set query -%}
        select comment from duckdb_tables()
        where database_name = '{{ relation.database }}' and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set rows = run_query(query).rows -%}
    {%- set comment = rows[0][0] if rows else none -%}
    {{ return((fromjson(comment, {}) or {}).get('fsync', {}) if comment else {}) }}
{% endmacro %}


{# Writes the comment: `fsync push` goes by the version and the start of the build (UTC), `fsync build` tells the rest. #}
{% macro stamp(target, about, found, is_incremental) %}
    {%- set built_at = run_started_at.strftime('%Y-%m-%dT%H:%M:%S.') ~ run_started_at.strftime('%f')[:3] ~ 'Z' -%}
    {%- set stamp = {'fsync': dict(found, view=model.name, hash=about.hash, built_at=built_at, incremental=is_incremental)} -%}
    {%- call statement('stamp') -%}
        comment on table {{ target }} is '{{ tojson(stamp) }}'
    {%- endcall -%}
{% endmacro %}
