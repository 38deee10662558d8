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

    {%- set began = modules.datetime.datetime.now() -%}

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
    {%- do fsync.stamp(target, about, dict(found, incremental=is_incremental, **fsync.cost(target, began))) -%}
    {%- do apply_grants(target, config.get('grants'), should_revoke=should_revoke(existing, not is_incremental)) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}

{% endmaterialization %}
