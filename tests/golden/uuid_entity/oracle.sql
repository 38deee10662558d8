-- the key of a tie is a UUID, ordered as its hexadecimal digits are
with p as (
    select *, epoch_ms(cast(floor((epoch_ms(t) - 1) / 3600000) as bigint) * 3600000) as g from probes
)
select
    p.session,
    p.t,
    count(*) filter (g - interval 2 hour <= e.paid_at) as ue_orders_2h,
    list(order_id order by e.paid_at, lower(cast(order_id as varchar))) filter (order_id is not null)[1]
        as ue_first_order
from p
left join events e on e.session = p.session and e.paid_at < p.g
group by all
