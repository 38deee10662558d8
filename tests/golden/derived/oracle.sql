-- division by zero is NULL; a derived feature sees the defaults of those it reads
with base as (
    select
        p.user_id,
        p.t,
        count(*) filter (p.t - interval 7 day <= e.e) as week_orders,
        coalesce(sum(e.amount) filter (p.t - interval 7 day <= e.e), 0) as week_spend,
        coalesce(sum(e.amount), 0) as all_spend
    from probes p
    left join (select *, date_trunc('millisecond', paid_at) as e from events) e
        on e.user_id = p.user_id and e.e < p.t
    group by all
),
one as (
    select
        *,
        case when week_orders <> 0 then week_spend::double / week_orders end as mean_order_7d,
        case when all_spend <> 0 then week_spend::double / all_spend::double else 0 end as share_7d
    from base
)
select
    *,
    week_orders > 0 and mean_order_7d > 1 as is_active,
    if(share_7d >= 0.5, 'hot', if(all_spend > 0, 'warm', 'cold')) as segment
from one
