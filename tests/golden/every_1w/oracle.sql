-- as of t holds the exact value as of the last Thursday 00:00 UTC g before t
with p as (
    select *, epoch_ms(cast(floor((epoch_ms(t) - 1) / 604800000) as bigint) * 604800000) as g from probes
)
select
    p.user_id,
    p.t,
    count(*) filter (g - interval 7 day <= e.paid_at) as ew_orders_1w,
    count(*) filter (g - interval 14 day <= e.paid_at) as ew_orders_2w,
    list(order_id order by e.paid_at, order_id) filter (order_id is not null)[-1] as ew_last_ever
from p
left join events e on e.user_id = p.user_id and e.paid_at < p.g
group by all
