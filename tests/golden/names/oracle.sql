-- of two orders of one instant the one with the greater id is newer, and a key without a value is passed over
select
    p.user_id,
    p.t,
    case
        when p.user_id = 2 then if(p.t > timestamp '2024-01-01', 4, null)
        when p.t > timestamp '2024-01-01 06:00:00' then 1
        when p.t > timestamp '2024-01-01' then 3
    end as newest,
    case when p.t > timestamp '2024-01-01' then if(p.user_id = 2, 50, 30) end as key_of_newest,
    coalesce(sum(e.events) filter (p.t - interval 1 day <= e.paid_at), 0) as events_1d,
    max(e.settled) filter (p.t - interval 1 day <= e.paid_at) as changed_at,
    min(e.source) filter (p.t - interval 1 day <= e.paid_at) as leaves,
    count(e.user_id) as timeline
from probes p
left join events e on e.user_id = p.user_id and e.paid_at < p.t
group by p.user_id, p.t
