-- the newest value that is not NULL; of one instant, that of the greatest code, byte by byte
with w as (
    select p.user_id, p.t, e.*
    from probes p
    left join (select *, user_id as whose, date_trunc('millisecond', paid_at) as e from events) e
        on e.whose = p.user_id and e.e < p.t
)
select
    user_id,
    t,
    list(channel order by e, code) filter (channel is not null and t - interval 1 day <= e)[-1] as la_channel_1d,
    list(channel order by e, code) filter (channel is not null and t - interval 7 day <= e)[-1] as la_channel_7d,
    list(channel order by e, code) filter (channel is not null)[-1] as la_channel_ever,
    list(channel order by e, code) filter (channel is not null)[-1] as la_channel_now,
    max(e) filter (t - interval 7 day <= e) as la_paid_7d,
    list(amount order by e, code)
        filter (amount is not null and channel = 'shop' and t - interval 7 day <= e)[-1] as la_shop_amount_7d
from w
group by user_id, t
