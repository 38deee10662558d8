with base as (
    select
        p.user_id,
        p.t,
        list_sort(list(cast(amount as double)) filter (amount is not null)) as x,
        count(amount) - 1 as n,
        count(distinct channel) as dd_channels,
        list(channel order by e.e, order_id) filter (channel is not null)[1] as dd_opened,
        list(channel order by e.e, order_id) filter (channel is not null)[-1] as dd_closed,
        list(amount order by e.e, order_id) filter (amount is not null and p.t - interval 1 day <= e.e)[-1] as dd_recent
    from probes p
    left join (select *, date_trunc('millisecond', paid_at) as e from events) e
        on e.user_id = p.user_id and p.t - interval 7 day <= e.e and e.e < p.t
    group by all
),
ranked as (
    select
        *,
        x[floor(n * 0.5)::int + 1]
            + (n * 0.5 - floor(n * 0.5)) * (x[ceil(n * 0.5)::int + 1] - x[floor(n * 0.5)::int + 1]) as dd_middle,
        x[floor(n * 0.75)::int + 1]
            + (n * 0.75 - floor(n * 0.75)) * (x[ceil(n * 0.75)::int + 1] - x[floor(n * 0.75)::int + 1]) as dd_high,
        x[floor(n * 0.25)::int + 1]
            + (n * 0.25 - floor(n * 0.25)) * (x[ceil(n * 0.25)::int + 1] - x[floor(n * 0.25)::int + 1]) as dd_low
    from base
),
once as (
    select
        *,
        dd_high - dd_low as dd_quartiles,
        if(dd_middle <> 0, (dd_high - dd_low) / dd_middle, 0) as dd_relative
    from ranked
),
twice as (
    select
        *,
        dd_relative > 0.5 and dd_channels >= 2 as dd_is_wide,
        coalesce(dd_opened <> dd_closed, false) as dd_has_moved,
        if(dd_quartiles * 2 - dd_high <> 0, (dd_recent::double - dd_middle) / (dd_quartiles * 2 - dd_high), null)
            as dd_distance
    from once
)
select *, coalesce(if(dd_is_wide, if(dd_has_moved, upper(dd_closed), dd_closed), null), 'none') as dd_label
from twice
