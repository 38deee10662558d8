-- spread: a percentile f of n values in order, numbered from 0, is number f * (n - 1), on the line between neighbours;
-- the deviation is that of a sample
with e as (
    select *, date_trunc('millisecond', paid_at) as e from events
),
lists as (
    select
        p.user_id,
        p.t,
        list_sort(list(amount::double) filter (amount is not null and p.t - interval 7 day <= e.e)) as week,
        list(amount::double * quantity) filter (amount * quantity is not null) as totals,
        count(distinct product) filter (p.t - interval 7 day <= e.e) as products_7d,
        count(distinct lower(product)) filter (p.t - interval 7 day <= e.e and amount > 0) as paid_products_7d,
        max(if(quantity > 1, amount, 0)) filter (e.e is not null)::double as p100_ever
    from probes p
    left join e on e.user_id = p.user_id and e.e < p.t
    group by all
),
measured as (
    select
        *,
        len(week) as n,
        list_sum(week) / n as mean,
        0.9 * (n - 1) as place,
        floor(0.9 * (n - 1))::bigint as below,
        list_sum(totals) / len(totals) as total_mean
    from lists
),
named as (
    select
        user_id,
        t,
        if(n > 1, sqrt(list_sum([pow(x - mean, 2) for x in week]) / (n - 1)), null) as stddev_7d,
        if(len(totals) > 1, sqrt(list_sum([pow(x - total_mean, 2) for x in totals]) / (len(totals) - 1)), -1)
            as stddev_ever,
        products_7d,
        paid_products_7d,
        if(n % 2 = 1, week[(n + 1) // 2], (week[n // 2] + week[n // 2 + 1]) / 2) as median_7d,
        week[1] as p0_7d,
        week[below + 1] + (place - below) * (coalesce(week[below + 2], week[below + 1]) - week[below + 1]) as p90_7d,
        p100_ever
    from measured
)
select *, median_7d / nullif(p90_7d, 0) as skew_7d, if(skew_7d < 0.5, 'yes', 'no') as skewed
from named
