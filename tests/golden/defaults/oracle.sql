-- a default stands in the place of NULL: of no event, of no value, of too few of them; never in that of a value
with base as (
    select
        p.user_id,
        p.t,
        list_sort(list(cast(amount as double)) filter (amount is not null)) as x,
        0.9 * (count(amount) - 1) as number,
        coalesce(list(channel order by e.e, order_id) filter (channel is not null)[1], 'it''s {{ none }}')
            as de_first_channel,
        coalesce(list(channel order by e.e, order_id) filter (channel is not null)[-1], '') as de_last_channel,
        coalesce(list(amount order by e.e, order_id) filter (amount is not null)[-1], -0.01) as de_last_amount,
        coalesce(min(e.e), timestamp '2000-01-01') as de_first_paid,
        count(distinct channel) as de_channels
    from probes p
    left join (select *, date_trunc('millisecond', paid_at) as e from events) e
        on e.user_id = p.user_id and p.t - interval 7 day <= e.e and e.e < p.t
    group by all
),
one as (
    select
        *,
        if(len(x) > 1, sqrt(list_sum([(y - list_avg(x)) ** 2 for y in x]) / (len(x) - 1)), -1) as de_spread,
        coalesce((x[(len(x) + 1) // 2] + x[len(x) // 2 + 1]) / 2, 0.5) as de_middle,
        coalesce(
            x[floor(number)::int + 1]
                + (number - floor(number)) * (x[ceil(number)::int + 1] - x[floor(number)::int + 1]),
            0
        ) as de_most
    from base
)
select
    *,
    de_spread + de_middle as de_spread_and_middle,
    if(de_last_channel = '', 'nowhere', de_last_channel) as de_label
from one
