with w as (
    select p.user_id, p.t, e.*
    from probes p
    left join (
        select
            *,
            user_id as whose,
            date_trunc('millisecond', paid_at) as e,
            coalesce(amount >= 5, false) or coalesce(quantity > 2, false) as is_big
        from events
    ) e on e.whose = p.user_id and e.e < p.t
)
select
    user_id,
    t,
    count(*) filter (channel = 'web' and t - interval 1 day <= e) as sh_web_orders_1d,
    count(*) filter (channel = 'web' and t - interval 7 day <= e) as sh_web_orders_7d,
    coalesce(sum(amount) filter (channel = 'web' and t - interval 7 day <= e), 0) as sh_web_spend_7d,
    median(cast(amount as double)) filter (channel = 'web' and t - interval 7 day <= e) as sh_web_middle_7d,
    coalesce(sum(amount) filter (channel <> 'web' and t - interval 7 day <= e), 0) as sh_other_spend_7d,
    count(*) filter (channel is null and t - interval 7 day <= e) as sh_no_channel_7d,
    list(amount order by e, order_id) filter (is_big and amount is not null and t - interval 7 day <= e)[1]
        as sh_big_first_7d,
    list(channel order by e, order_id) filter (is_big and channel is not null and t - interval 1 day <= e)[-1]
        as sh_big_last_1d,
    list(channel order by e, order_id) filter (is_big and channel is not null and t - interval 1 day <= e)[-1]
        as sh_big_ttl_1d,
    coalesce(sum(amount) filter (t - interval 7 day <= e), 0) as sh_spend_7d,
    null as sh_never,
    count(*) filter (e >= timestamp '2024-01-08') as sh_recently
from w
group by user_id, t
