{#
    The builds of feature tables that are not in the history yet, from the stamps of the tables that stand now: which
    version, when, of how many events, and by which commit (FSYNC_COMMIT, which `fsync build` sets, or what GitHub or
    GitLab say of their run).
#}
{% macro registry_builds() %}
    {{ return(adapter.dispatch('registry_builds', 'fsync')()) }}
{% endmacro %}


{% macro duckdb__registry_builds() %}
    {%- set commit = env_var('FSYNC_COMMIT', env_var('GITHUB_SHA', env_var('CI_COMMIT_SHA', ''))) -%}
with stamps as (

    select schema_name, comment ->> '$.fsync.view' as view_name, comment -> '$.fsync' as stamp
    from duckdb_tables()
    where database_name = '{{ this.database }}' and comment like '{"fsync":%'

)

select
    stamps.view_name,
    stamp ->> '$.hash' as hash,
    cast(rtrim(stamp ->> '$.built_at', 'Z') as timestamp) as built_at,
    nullif('{{ commit | replace("'", "''") }}', '') as commit_sha,
    cast(stamp ->> '$.events' as bigint) as events,
    cast(stamp ->> '$.rows' as bigint) as rows_built,
    cast(stamp ->> '$.seconds' as double) as seconds,
    coalesce(cast(stamp ->> '$.incremental' as boolean), false) as is_incremental,
    cast(stamp ->> '$.newest_event' as timestamp) as newest_event_at
from stamps
where exists (
    select 1 from {{ ref('fsync_registry_views') }} as known
    where known.view_name = stamps.view_name and known.schema_name = stamps.schema_name
)
{%- if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as already
        where already.view_name = stamps.view_name
            and already.built_at = cast(rtrim(stamp ->> '$.built_at', 'Z') as timestamp)
    )
{%- endif %}
{% endmacro %}


{# The versions that each view has had: when each was first and last built in a row, and by which commit first. #}
{% macro registry_versions(builds) %}
with numbered as (

    select
        *,
        row_number() over (partition by view_name order by built_at)
            - row_number() over (partition by view_name, hash order by built_at) as run
    from {{ builds }}

)

select
    view_name,
    hash,
    min(built_at) as first_built_at,
    max(built_at) as last_built_at,
    count(*) as builds,
    first(commit_sha order by built_at) as commit_sha
from numbered
group by view_name, hash, run
{% endmacro %}
