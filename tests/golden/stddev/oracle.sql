-- the square root of the squared distances from the mean, summed and divided by n - 1; NULL for fewer than two
with w as (
    select
        p.user_id,
        p.t,
        coalesce(list(x) filter (p.t - interval 1 day <= e.e), []) as day,
        coalesce(list(x) filter (p.t - interval 7 day <= e.e), []) as week,
        coalesce(list(x) filter (x is not null), []) as ever,
        coalesce(list(x) filter (x > 0), []) as positive
    from probes p
    left join (
        select *, cast(amount as double) as x, date_trunc('millisecond', paid_at) as e from events
        where amount is not null
    ) e on e.user_id = p.user_id and e.e < p.t
    group by all
)
select
    user_id,
    t,
    if(len(day) > 1, sqrt(list_sum([(x - list_avg(day)) ** 2 for x in day]) / (len(day) - 1)), null)
        as sd_spread_1d,
    if(len(week) > 1, sqrt(list_sum([(x - list_avg(week)) ** 2 for x in week]) / (len(week) - 1)), null)
        as sd_spread_7d,
    if(len(ever) > 1, sqrt(list_sum([(x - list_avg(ever)) ** 2 for x in ever]) / (len(ever) - 1)), null)
        as sd_spread_ever,
    if(len(positive) > 1,
        sqrt(list_sum([(x - list_avg(positive)) ** 2 for x in positive]) / (len(positive) - 1)), null)
        as sd_spread_of_some
from w
