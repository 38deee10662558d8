-- an event at e counts in a window W as of t when t - W <= e < t; finer digits than milliseconds are cut off
select
    p.user_id,
    p.t,
    count(*) filter (p.t - interval 7 day <= e.e) as orders_7d,
    count(e.amount) filter (p.t - interval 7 day <= e.e) as amounts_7d,
    count(*) filter (p.t - interval 1 second <= e.e) as orders_1s,
    count(e.e) as orders_ever,
    count(e.amount) as amounts_ever
from probes p
left join (select *, date_trunc('millisecond', paid_at) as e from events) e
    on e.user_id = p.user_id and e.e < p.t
group by all
