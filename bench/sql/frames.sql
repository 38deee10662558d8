-- Baseline (a): what a person writes who knows that windows shrink without an event. Every event enters at its
-- instant, and a row without values marks where it leaves each window; one frame over both is exact for every
-- aggregate. The order key is whole milliseconds, so that frames are compared as integers.
with events as (
    select user_id, epoch_ms(happened_at) as instant, amount
    from history.events
    where user_id is not null and happened_at is not null
),

changes as (
    select user_id, instant, 1 as is_event, amount from events
    union all
    select user_id, instant + 604800000, null, null from events
    union all
    select user_id, instant + 2592000000, null, null from events
    union all
    select user_id, instant + 7776000000, null, null from events
),

windowed as (
    select
        user_id,
        instant as valid_from,
        lead(instant, 1, 253402214400000) over (partition by user_id order by instant) as valid_to,
        count(is_event) over last_7d as count_7d,
        count(is_event) over last_30d as count_30d,
        count(is_event) over last_90d as count_90d,
        coalesce(sum(amount) over last_7d, 0) as sum_7d,
        coalesce(sum(amount) over last_30d, 0) as sum_30d,
        coalesce(sum(amount) over last_90d, 0) as sum_90d,
        max(amount) over last_7d as max_7d,
        max(amount) over last_30d as max_30d,
        max(amount) over last_90d as max_90d
    from changes
    window
        last_7d as (partition by user_id order by instant range between 604800000 - 1 preceding and current row),
        last_30d as (partition by user_id order by instant range between 2592000000 - 1 preceding and current row),
        last_90d as (partition by user_id order by instant range between 7776000000 - 1 preceding and current row)
)

select
    user_id,
    make_timestamp_ms(valid_from) as valid_from,
    make_timestamp_ms(valid_to) as valid_to,
    count_30d, count_7d, count_90d,
    max_30d, max_7d, max_90d,
    sum_30d, sum_7d, sum_90d
from windowed
where valid_from < valid_to
