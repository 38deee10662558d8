-- the value in the middle of the ordered ones, or the mean of the two in the middle
with w as (
    select
        p.user_id,
        p.t,
        list_sort(list(amount) filter (amount is not null and p.t - interval 1 day <= e.e)) as day,
        list_sort(list(amount) filter (amount is not null and p.t - interval 7 day <= e.e)) as week,
        list_sort(list(amount) filter (amount is not null)) as ever,
        list_sort(list(order_id) filter (amount >= 0)) as orders
    from probes p
    left join (select *, date_trunc('millisecond', paid_at) as e from events) e
        on e.user_id = p.user_id and e.e < p.t
    group by all
)
select
    user_id,
    t,
    (day[(len(day) + 1) // 2] + day[len(day) // 2 + 1])::double / 2 as md_middle_1d,
    (week[(len(week) + 1) // 2] + week[len(week) // 2 + 1])::double / 2 as md_middle_7d,
    (ever[(len(ever) + 1) // 2] + ever[len(ever) // 2 + 1])::double / 2 as md_middle_ever,
    (orders[(len(orders) + 1) // 2] + orders[len(orders) // 2 + 1])::double / 2 as md_middle_order
from w
