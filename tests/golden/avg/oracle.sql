-- the mean of [t - W, t); NULL when there is nothing, unless the spec has a default
select
    p.user_id,
    p.t,
    avg(e.amount) filter (p.t - interval 7 day <= e.e) as mean_7d,
    avg(e.amount) as mean_ever,
    coalesce(avg(e.amount) filter (p.t - interval 1 day <= e.e), -1) as mean_or_minus_one
from probes p
left join (select *, date_trunc('millisecond', paid_at) as e from events) e
    on e.user_id = p.user_id and e.e < p.t
group by all
