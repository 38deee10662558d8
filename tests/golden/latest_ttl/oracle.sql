-- the newest value with t - ttl <= e < t; a newer event without a value hides nothing, and keeps nothing alive
with w as (
    select p.user_id, p.t, e.*
    from probes p
    left join (select *, user_id as whose, date_trunc('millisecond', paid_at) as e from events) e
        on e.whose = p.user_id and e.e < p.t
)
select
    user_id,
    t,
    list(amount order by e, order_id) filter (amount is not null)[-1] as tt_amount_ever,
    list(amount order by e, order_id) filter (amount is not null and t - interval 1 second <= e)[-1] as tt_amount_1s,
    list(amount order by e, order_id) filter (amount is not null and t - interval 30 day <= e)[-1] as tt_amount_30d,
    coalesce(list(channel order by e, order_id) filter (channel is not null and t - interval 1 day <= e)[-1], 'nowhere')
        as tt_channel_1d,
    list(amount order by e, order_id)
        filter (amount is not null and channel = 'web' and t - interval 28 day <= e)[-1] as tt_web_amount_4w
from w
group by user_id, t
