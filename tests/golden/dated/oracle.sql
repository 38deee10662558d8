-- a date means midnight UTC; a zoned timestamp is converted to UTC and cut to milliseconds
with e as (
    select *, cast(Day as timestamp) as e, date_trunc('millisecond', Seen at time zone 'UTC') as seen_at from events
)
select
    p.session,
    p.cohort,
    p.t,
    coalesce(sum(cast(Ratio as double)) filter (p.t - interval 1 day <= e.e), 0) as ratio_1d,
    coalesce(sum(cast(Big as hugeint)) filter (p.t - interval 2 day <= e.e), 0) as big_2d,
    count(*) filter (Flag) as flagged_ever,
    arg_max(e.Session, (e.e, ID)) as last_session,
    coalesce(arg_max(Flag, (e.e, ID)) filter (Flag is not null), true) as last_flag,
    arg_max(seen_at, (e.e, ID)) filter (seen_at is not null) as last_seen,
    coalesce(min(seen_at) filter (p.t - interval 30 day <= e.e), timestamp '1970-01-01') as first_seen_30d,
    coalesce(max(Day) filter (p.t - interval 30 day <= e.e), date '2000-01-01') as cohort_day
from probes p
left join e on e.Session = p.session and e.Cohort = p.cohort and e.e < p.t
group by all
