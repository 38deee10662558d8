select
    p.user_id,
    p.t,
    min(e.amount) filter (p.t - interval 7 day <= e.e) as least_7d,
    min(e.amount) as least_ever,
    min(e.e) filter (p.t - interval 7 day <= e.e) as first_time_7d
from probes p
left join (select *, date_trunc('millisecond', paid_at) as e from events) e
    on e.user_id = p.user_id and e.e < p.t
group by all
