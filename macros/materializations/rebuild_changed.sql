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
    {%- set query = sql | replace(fsync.is_changed(), is_changed) -%}
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
