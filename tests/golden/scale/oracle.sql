-- floor(x * 10^scale + 0.5), as a whole number: halves go up, negative ones too, and the sums of them are exact
with e as (
    select
        *,
        paid_at as e,
        cast(floor(score * 1e0 + 0.5) as bigint) as ones,
        cast(floor(score * 1e1 + 0.5) as bigint) as tenths,
        cast(floor(score * 1e2 + 0.5) as bigint) as cents,
        cast(floor(score * 1e6 + 0.5) as bigint) as micros,
        cast(floor(score * 3 * 1e12 + 0.5) as bigint) as picos
    from events
)
select
    p.user_id,
    p.t,
    coalesce(sum(ones), 0) as sc_whole_ever,
    cast(coalesce(sum(cents) filter (p.t - interval 1 day <= e.e), 0) as decimal(25, 0)) * 0.01 as sc_cents_1d,
    cast(coalesce(sum(cents), 0) as decimal(25, 0)) * 0.01 as sc_cents_ever,
    cast(coalesce(sum(micros), 0) as decimal(25, 0)) * 0.000001 as sc_micro_ever,
    cast(coalesce(sum(picos) filter (p.t - interval 1 day <= e.e), 0) as decimal(25, 0)) * 0.000000000001
        as sc_pico_triple_1d,
    cast(sum(cents) filter (p.t - interval 1 day <= e.e) as double) / 100
        / count(cents) filter (p.t - interval 1 day <= e.e) as sc_mean_1d,
    min(ones) filter (p.t - interval 1 day <= e.e) as sc_least_1d,
    count(distinct ones) as sc_values_ever,
    cast(coalesce(sum(cents) filter (score > 0), 0) as decimal(25, 0)) * 0.01 as sc_positive_ever,
    cast(coalesce(list(tenths order by e.e, order_id) filter (tenths is not null)[-1], -5) as decimal(25, 0)) * 0.1
        as sc_last_score
from probes p
left join e on e.user_id = p.user_id and e.e < p.t
group by all
