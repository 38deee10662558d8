-- the sum of what happened in [t - W, t); 0 when there is nothing
select
    p.user_id,
    p.t,
    coalesce(sum(e.amount) filter (p.t - interval 7 day <= e.e), 0) as spend_7d,
    coalesce(sum(e.amount) filter (p.t - interval 12 hour <= e.e), 0) as spend_12h,
    coalesce(sum(e.order_id * e.order_id) filter (p.t - interval 7 day <= e.e), 0) as orders_squared_7d,
    coalesce(sum(e.amount), 0) as spend_ever
from probes p
left join (select *, date_trunc('millisecond', paid_at) as e from events) e
    on e.user_id = p.user_id and e.e < p.t
group by all
