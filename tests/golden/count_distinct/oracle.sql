-- how many groups of equal values there are; a text is its bytes, a time its milliseconds
with e as (
    select *, date_trunc('millisecond', paid_at) as e from events
),
groups as (
    select p.user_id, p.t, 'amount' as what, cast(amount as varchar) as value, max(e.e) as newest, true as chosen
    from probes p join e on e.user_id = p.user_id and e.e < p.t
    where amount is not null
    group by all
    union all
    select p.user_id, p.t, 'channel', hex(channel), max(e.e), coalesce(bool_or(amount <> 7.25), false)
    from probes p join e on e.user_id = p.user_id and e.e < p.t
    where channel is not null
    group by all
    union all
    select p.user_id, p.t, 'instant', cast(e.e as varchar), e.e, true
    from probes p join e on e.user_id = p.user_id and e.e < p.t
    group by all
)
select
    p.user_id,
    p.t,
    count(*) filter (what = 'amount' and p.t - interval 1 day <= newest) as cd_amounts_1d,
    count(*) filter (what = 'amount' and p.t - interval 7 day <= newest) as cd_amounts_7d,
    count(*) filter (what = 'amount') as cd_amounts_ever,
    count(*) filter (what = 'channel' and p.t - interval 7 day <= newest) as cd_channels_7d,
    count(*) filter (what = 'channel' and chosen) as cd_channels_ever,
    count(*) filter (what = 'instant' and p.t - interval 7 day <= newest) as cd_instants_7d
from probes p
left join groups g on g.user_id = p.user_id and g.t = p.t
group by all
