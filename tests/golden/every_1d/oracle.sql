-- as of t holds the exact value as of the last midnight UTC g before t
with p as (
    select *, epoch_ms(cast(floor((epoch_ms(t) - 1) / 86400000) as bigint) * 86400000) as g from probes
),
w as (
    select p.user_id, p.t, p.g, e.*
    from p
    left join (
        select *, user_id as whose, date_trunc('millisecond', paid_at at time zone 'UTC') as e from events
    ) e on e.whose = p.user_id and e.e < p.g
),
base as (
    select
        user_id,
        t,
        count(*) filter (g - interval 1 day <= e) as ed_orders_1d,
        count(*) filter (g - interval 7 day <= e) as ed_orders_7d,
        coalesce(sum(amount), 0) as ed_spend_ever,
        count(distinct channel) filter (g - interval 7 day <= e) as ed_channels_7d,
        list_sort(list(cast(amount as double)) filter (amount is not null and g - interval 7 day <= e)) as x,
        0.9 * (count(amount) filter (g - interval 7 day <= e) - 1) as number,
        list(channel order by e, order_id) filter (channel is not null and g - interval 7 day <= e)[1] as ed_first_7d,
        list(channel order by e, order_id) filter (channel is not null and g - interval 7 day <= e)[-1] as ed_last_7d,
        list(amount order by e, order_id)
            filter (amount is not null and channel = 'web' and g - interval 2 day <= e)[-1] as ed_last_web_2d
    from w
    group by user_id, t
)
select
    *,
    x[floor(number)::int + 1] + (number - floor(number)) * (x[ceil(number)::int + 1] - x[floor(number)::int + 1])
        as ed_most_7d,
    if(len(x) > 1, sqrt(list_sum([(y - list_avg(x)) ** 2 for y in x]) / (len(x) - 1)), null) as ed_spread_7d
from base
