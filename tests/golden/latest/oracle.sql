-- the newest value that is not NULL; order_id decides between events of one instant
select
    p.user_id,
    p.t,
    (select amount from events e where e.user_id = p.user_id and date_trunc('millisecond', e.paid_at) < p.t
        and amount is not null order by date_trunc('millisecond', e.paid_at) desc, order_id desc limit 1) as last_amount,
    (select order_id from events e where e.user_id = p.user_id and date_trunc('millisecond', e.paid_at) < p.t
        order by date_trunc('millisecond', e.paid_at) desc, order_id desc limit 1) as last_order,
    (select order_id from events e where e.user_id = p.user_id and date_trunc('millisecond', e.paid_at) < p.t
        and amount > 5 order by date_trunc('millisecond', e.paid_at) desc, order_id desc limit 1) as last_big_order,
    (select count(*) from events e where e.user_id = p.user_id
        and p.t - interval 7 day <= date_trunc('millisecond', e.paid_at)
        and date_trunc('millisecond', e.paid_at) < p.t) as recent_orders
from probes p
