-- of n values in order, numbered from 0, the one with the number fraction * (n - 1), or what lies on the straight
-- line between the two around it
with asked (name, fraction, days) as (
    values
        ('pc_least_7d', 0.0, 7), ('pc_tenth_7d', 0.1, 7), ('pc_third_7d', 0.333, 7),
        ('pc_half_7d', 0.5, 7), ('pc_most_7d', 0.95, 7), ('pc_greatest_7d', 1.0, 7),
        ('pc_most_1d', 0.95, 1), ('pc_most_ever', 0.95, 999999), ('pc_least_ever', 0.0, 999999),
        ('pc_greatest_ever', 1.0, 999999)
),
ordered as (
    select
        p.user_id,
        p.t,
        name,
        cast(fraction as double) * (count(*) - 1) as number,
        list(cast(amount as double) order by amount) as x
    from probes p
    cross join asked
    join (select *, date_trunc('millisecond', paid_at) as e from events) e
        on e.user_id = p.user_id and e.e < p.t and date_diff('millisecond', e.e, p.t) <= days::bigint * 86400000
    where amount is not null
    group by p.user_id, p.t, name, fraction
),
found as (
    select
        user_id,
        t,
        name,
        x[floor(number)::int + 1] + (number - floor(number)) * (x[ceil(number)::int + 1] - x[floor(number)::int + 1])
            as value
    from ordered
)
select
    p.user_id,
    p.t,
    max(value) filter (name = 'pc_least_7d') as pc_least_7d,
    max(value) filter (name = 'pc_tenth_7d') as pc_tenth_7d,
    max(value) filter (name = 'pc_third_7d') as pc_third_7d,
    max(value) filter (name = 'pc_half_7d') as pc_half_7d,
    max(value) filter (name = 'pc_most_7d') as pc_most_7d,
    max(value) filter (name = 'pc_greatest_7d') as pc_greatest_7d,
    max(value) filter (name = 'pc_most_1d') as pc_most_1d,
    max(value) filter (name = 'pc_most_ever') as pc_most_ever,
    max(value) filter (name = 'pc_least_ever') as pc_least_ever,
    max(value) filter (name = 'pc_greatest_ever') as pc_greatest_ever
from probes p
left join found f on f.user_id = p.user_id and f.t = p.t
group by all
