-- and one that is built incrementally: the materialization needs `events`, and `is_changed()` where they are chosen
{{ config(
    materialized='validity_table',
    meta={'fsync': {'hash': 'v1', 'entity': ['who'], 'longest_window_ms': 7 * 24 * 3600 * 1000}},
) }}

with events as (

    select
        who,
        date_trunc('millisecond', clicked_at) as event_at,
        price
    from {{ ref('clicks') }}

),

history as (

    select *
    from events
    where who is not null and event_at is not null and {{ fsync.is_changed() }}

),

changes as (

    {{ fsync.changes('history', entity=['who'], event_time='event_at', columns=['price'], windows=['7d']) }}

),

windowed as (

    select
        who,
        changed_at as valid_from,
        {{ fsync.valid_to() }} as valid_to,
        {{ fsync.window_sum('price', '7d') }} as spent_7d
    from changes
    window {{ fsync.frames(entity=['who'], windows=['7d']) }}

)

select *
from windowed
where valid_from < valid_to
