select
    p.tenant,
    p.session,
    p.joined,
    p.t,
    count(*) filter (p.t - interval 1 day <= e.paid_at) as co_orders_1d,
    max(e.tenant) as co_last_tenant,
    min(e.joined) as co_first_joined,
    if(count(*) filter (p.t - interval 1 day <= e.paid_at) > 0, 1, 0) as co_sessions_1d
from probes p
left join events e
    on e.tenant = p.tenant and e.session = p.session and e.joined = p.joined and e.paid_at < p.t
group by all
