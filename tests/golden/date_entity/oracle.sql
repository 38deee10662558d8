with w as (
    select
        p.cohort,
        p.t,
        count(*) filter (p.t - interval 1 day <= e.e) as da_orders_1d,
        list_sort(list(quantity::int) filter (quantity is not null)) as x,
        max(e.cohort) filter (p.t - interval 1 day <= e.e) as da_last_cohort
    from probes p
    left join (select *, date_trunc('millisecond', paid_at) as e from events) e on e.cohort = p.cohort and e.e < p.t
    group by all
)
select *, (x[(len(x) + 1) // 2] + x[len(x) // 2 + 1])::double / 2 as da_middle_ever
from w
