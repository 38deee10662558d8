-- x at scale s is the whole number floor(x * 10^s + 0.5), in units of 10^-s
with e as (
    select *, date_trunc('millisecond', measured_at) as e from events
)
select
    p.sensor,
    p.t,
    coalesce(sum(floor(reading * 100 + 0.5)::bigint)::decimal(30, 2) / 100, 0)::decimal(38, 2) as reading_sum_1d,
    max(floor(reading * 2 + 0.5)::bigint)::decimal(19, 0) as reading_max_1d,
    sum(floor(reading * 1e6 + 0.5)::bigint)::double / 1e6 / nullif(count(reading), 0) as reading_mean_1d,
    count(distinct floor(reading * 10 + 0.5)::bigint) as readings_1d
from probes p
left join e on e.sensor = p.sensor and e.e < p.t and p.t - interval 1 day <= e.e
group by all
