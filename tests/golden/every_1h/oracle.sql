-- as of t holds the exact value as of the last full hour g before t; an event on an hour is not before it
with p as (
    select *, epoch_ms(cast(floor((epoch_ms(t) - 1) / 3600000) as bigint) * 3600000) as g from probes
),
w as (
    select p.user_id, p.t, p.g, e.*
    from p
    left join (select *, user_id as whose, date_trunc('millisecond', paid_at) as e from events) e
        on e.whose = p.user_id and e.e < p.g
),
base as (
    select
        user_id,
        t,
        count(*) filter (g - interval 1 hour <= e) as eh_orders_1h,
        count(*) filter (g - interval 3 hour <= e) as eh_orders_3h,
        count(e) as eh_orders_ever,
        coalesce(sum(amount) filter (g - interval 24 hour <= e), 0) as eh_spend_1d,
        list_sort(list(amount) filter (amount is not null and g - interval 24 hour <= e)) as day,
        list(order_id order by e, order_id) filter (g - interval 1 hour <= e)[1] as eh_first_1h,
        list(order_id order by e, order_id) filter (g - interval 1 hour <= e)[-1] as eh_last_1h,
        list(amount order by e, order_id) filter (amount is not null)[1] as eh_first_ever,
        coalesce(list(amount order by e, order_id) filter (amount is not null and g - interval 2 hour <= e)[-1], 0)
            as eh_last_2h,
        max(e) as eh_paid_last
    from w
    group by user_id, t
)
select
    *,
    (day[(len(day) + 1) // 2] + day[len(day) // 2 + 1])::double / 2 as eh_middle_1d,
    if(eh_orders_ever > 0, eh_orders_1h / eh_orders_ever, null) as eh_share_1h
from base
