select
    p.user_id,
    p.t,
    coalesce(max(e.amount) filter (p.t - interval 7 day <= e.e), 0) as most_7d,
    max(e.amount) as most_ever,
    max(e.e) filter (p.t - interval 14 day <= e.e) as last_time_2w
from probes p
left join (select *, date_trunc('millisecond', paid_at) as e from events) e
    on e.user_id = p.user_id and e.e < p.t
group by all
