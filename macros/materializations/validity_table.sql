{#
    Builds a validity table, anew or only where its events have changed. Both ways give the same rows.

    Beside the table <view> stands <view>__ledger: for each entity, a fingerprint of the events that its rows were
    made of, in two parts: `settled`, of those before the instant `settled_at`, and `recent`, of the others.
    `settled_at` is the newest event less the lateness of the source. A build takes fingerprints again, and computes
    anew what has another one: the rows after `settled_at` where only recent events have changed, else all rows of
    the entity. So it does not matter what happened to the source: events that are appended, late, repeated,
    corrected or deleted are all seen. Lateness makes builds fast; they are right without it.

    The fingerprint of an entity is the sum of its events' hashes. So the sum over the ledger is the fingerprint of
    the whole source: where that of the settled events is as it was, only recent ones are looked at one by one.

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
    {%- set settled_at = before.settled_at if is_incremental else '0001-01-01' -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {# reading the source twice must give the same events #}
    {%- call statement('begin') %}select 1{% endcall -%}
    {%- set found = fsync.found_events(sql, about, ledger if is_incremental else none, settled_at) -%}
    {%- do fsync.take_fingerprints(sql, about, settled_at, found) -%}
    {%- if is_incremental -%}
        {%- do fsync.rebuild_changed(sql, about, target, ledger, settled_at, found) -%}
    {%- else -%}
        {%- if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif -%}
        {%- call statement('main') %}{{ create_table_as(False, target, sql) }}{% endcall -%}
    {%- endif -%}
    {%- do fsync.keep_ledger(about, ledger, found) -%}
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
    Looks over all events of the source. Returns
    - events, without_entity, without_time: how many can be used, and how many are left out for want of what;
    - settled_at: the instant before which the source is thought not to change any more. Events from the future do
      not settle the present, and what is settled stays so;
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
                    timestamp '{{ settled_at }}',
                    least(max(event_at), timestamp '{{ started }}') - to_milliseconds({{ about.get('lateness_ms', 0) }})
                ) as varchar
            ),
            {% if ledger is none %}false{% else -%}
            coalesce(sum(hash(events)) filter (where {{ is_used }} and event_at < timestamp '{{ settled_at }}'), 0)
                = (select coalesce(sum(settled), 0) from {{ ledger }})
            {%- endif %}
        from events
    {%- endcall -%}
    {%- set row = load_result('events')['data'][0] -%}
    {{ return({
        'events': row[0], 'without_entity': row[1], 'without_time': row[2], 'settled_at': row[3], 'is_settled': row[4]
    }) }}
{% endmacro %}


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
            coalesce(sum(hash(events)) filter (where event_at {{ compare }} timestamp '{{ instant }}'), 0) as {{ name }}
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
        {%- else -%}
        create or replace table {{ ledger }} as
        select {{ keys }}, settled_now as settled, recent_now as recent
        from {{ fingerprints }};
        {%- endif %}
        drop table {{ fingerprints }}
    {%- endcall -%}
{% endmacro %}


{# Computes the rows of the entities whose events have changed, and puts them in the place of the old ones. #}
{% macro rebuild_changed(sql, about, target, ledger, settled_at, found) %}
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
            {% if found.is_settled -%}
            timestamp '{{ settled_at }}' as changed_from
            {%- else -%}
            case
                when coalesce(was.settled, 0) = coalesce(now.settled_then, 0) then timestamp '{{ settled_at }}'
                else timestamp '0001-01-01'
            end as changed_from
            {%- endif %}
        from {% if found.is_settled %}(from {{ ledger }} where recent <> 0){% else %}{{ ledger }}{% endif %} as was
        full join fingerprints__{{ this.identifier }} as now using ({{ keys }})
        where coalesce(was.recent, 0) <> coalesce(now.recent_then, 0)
            {%- if not found.is_settled %}
            or coalesce(was.settled, 0) <> coalesce(now.settled_then, 0)
            {%- endif %}
    {%- endcall -%}

    {#
        Their rows from `changed_from` on; what came before it is read only as far as windows reach back. Instants
        stand as constants where they are, so that a scan can use them, and entities are looked for with IN: of an
        EXISTS, DuckDB's plan goes through every entity of the source first.
    #}
    {%- set reach_ms = about.get('longest_window_ms') -%}
    {%- set is_of = '(' ~ keys ~ ') in (select ' ~ (keys if about.entity | length == 1 else '(' ~ keys ~ ')') ~ ' from ' ~ changed -%}
    {%- set is_changed -%}
        {{ is_of }})
        {%- if reach_ms is not none %}
        and (
            event_at >= timestamp '{{ settled_at }}' - to_milliseconds({{ reach_ms }})
            {%- if not found.is_settled %}
            or {{ is_of }} where changed_from < timestamp '{{ settled_at }}')
            {%- endif %}
        )
        {%- endif %}
    {%- endset -%}
    {%- set changed_from -%}
        {% if found.is_settled -%}
        timestamp '{{ settled_at }}'
        {%- else -%}
        (select changed.changed_from from {{ changed }} as changed where {{ fsync.same_entity(about, 'changed', 'history') }})
        {%- endif %}
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
