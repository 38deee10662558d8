-- Baseline (b), the fastest that we could write: counts and sums are what has entered so far less what has left, a
-- running sum in the order of time, so that only the maximum needs frames. Right for whole numbers and decimals
-- alone: running sums of DOUBLE drift. Of the rows of one instant the last has seen all; it is the one that is kept.
with events as (
    select user_id, epoch_ms(happened_at) as instant, amount
    from history.events
    where user_id is not null and happened_at is not null
),

changes as (
    select user_id, instant, 0::utinyint as leaves, amount as moved, amount from events
    union all
    select user_id, instant + 604800000, 1, amount, null from events
    union all
    select user_id, instant + 2592000000, 2, amount, null from events
    union all
    select user_id, instant + 7776000000, 3, amount, null from events
),

windowed as (
    select
        user_id,
        instant as valid_from,
        lead(instant, 1, 253402214400000) over timeline as valid_to,
        sum(case leaves when 0 then 1 when 1 then -1 end) over timeline as count_7d,
        sum(case leaves when 0 then 1 when 2 then -1 end) over timeline as count_30d,
        sum(case leaves when 0 then 1 when 3 then -1 end) over timeline as count_90d,
        sum(case leaves when 0 then moved when 1 then -moved end) over timeline as sum_7d,
        sum(case leaves when 0 then moved when 2 then -moved end) over timeline as sum_30d,
        sum(case leaves when 0 then moved when 3 then -moved end) over timeline as sum_90d,
        max(amount) over last_7d as max_7d,
        max(amount) over last_30d as max_30d,
        max(amount) over last_90d as max_90d
    from changes
    window
        timeline as (partition by user_id order by instant rows between unbounded preceding and current row),
        last_7d as (partition by user_id order by instant range between 604800000 - 1 preceding and current row),
        last_30d as (partition by user_id order by instant range between 2592000000 - 1 preceding and current row),
        last_90d as (partition by user_id order by instant range between 7776000000 - 1 preceding and current row)
)

select
    user_id,
    make_timestamp_ms(valid_from) as valid_from,
    make_timestamp_ms(valid_to) as valid_to,
    count_30d::bigint as count_30d,
    count_7d::bigint as count_7d,
    count_90d::bigint as count_90d,
    max_30d, max_7d, max_90d,
    coalesce(sum_30d, 0)::decimal(38, 2) as sum_30d,
    coalesce(sum_7d, 0)::decimal(38, 2) as sum_7d,
    coalesce(sum_90d, 0)::decimal(38, 2) as sum_90d
from windowed
where valid_from < valid_to
