with w as (
    select p.user_id, p.t, e.*
    from probes p
    left join (
        select
            *,
            user_id as whose,
            date_trunc('millisecond', paid_at) as e,
            if(quantity <> 0, cast(amount as double) / quantity, null) as price,
            if(quantity in (1, 2), 'few', if(quantity > 2, 'many', null)) as kind,
            cast(floor(if(amount <> 0, score / cast(amount as double), null) * 1000 + 0.5) as bigint) as thousandths
        from events
    ) e on e.whose = p.user_id and e.e < p.t
),
lists as (
    select
        user_id,
        t,
        coalesce(sum(cast(amount as decimal(28, 2)) * quantity) filter (t - interval 7 day <= e), 0) as ex_worth_7d,
        max(amount) filter (channel = 'web' and t - interval 1 day <= e) as ex_web_max_1d,
        list_sort(list(price) filter (price is not null and t - interval 7 day <= e)) as x,
        0.9 * (count(price) filter (t - interval 7 day <= e) - 1) as number,
        list_sort(list(abs(amount)) filter (amount is not null and t - interval 7 day <= e)) as y,
        list(cast(amount as double) * 2 - 1) filter (amount is not null and t - interval 7 day <= e) as z,
        count(distinct lower(channel)) filter (t - interval 7 day <= e) as ex_channels_7d,
        if(count(*) filter (amount > 5) > 0, 1, 0) + if(count(*) filter (amount <= 5) > 0, 1, 0) as ex_big_or_not_ever,
        count(*) filter (quantity <> 0 and t - interval 7 day <= e) as ex_some_7d,
        list(coalesce(channel, 'none') order by e, order_id) filter (t - interval 7 day <= e)[1] as ex_first_7d,
        list(channel = 'web' order by e, order_id) filter (channel is not null)[-1] as ex_was_web_ever,
        min(upper(channel)) filter (t - interval 7 day <= e) as ex_least_7d,
        list(kind order by e, order_id) filter (kind is not null and t - interval 1 day <= e)[-1] as ex_kind_1d,
        cast(sum(thousandths) filter (t - interval 7 day <= e) as double) / 1000
            / count(thousandths) filter (t - interval 7 day <= e) as ex_mean_ratio_7d
    from w
    group by user_id, t
)
select
    *,
    x[floor(number)::int + 1] + (number - floor(number)) * (x[ceil(number)::int + 1] - x[floor(number)::int + 1])
        as ex_price_7d,
    (y[(len(y) + 1) // 2] + y[len(y) // 2 + 1])::double / 2 as ex_size_7d,
    if(len(z) > 1, sqrt(list_sum([(a - list_avg(z)) ** 2 for a in z]) / (len(z) - 1)), null) as ex_spread_7d
from lists
