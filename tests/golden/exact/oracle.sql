-- the unique key decides between events of one millisecond, with all its digits
with e as (
    select *, date_trunc('millisecond', at_exactly) as e from events where user_id <> 'never'
),
base as (
    select
        p.user_id,
        p.t,
        arg_max(amount, at_exactly) filter (amount is not null) as exact_amount,
        max(e.e) as exact_time,
        coalesce(sum(small::hugeint * 2) filter (p.t - interval 1 day <= e.e), 0) as doubled,
        count(*) filter (p.t - interval 1 day <= e.e and small < 4000000000) as far,
        max(if(amount > 0, 4000000000, 2)) filter (p.t - interval 1 day <= e.e) as chosen,
        count(*) filter (p.t - interval 1 day <= e.e and e.e < timestamp '2024-01-01 00:00:00.001') as since_noon
    from probes p
    left join e on e.user_id = p.user_id and e.e < p.t
    where p.user_id <> 'never'
    group by all
),
means as (
    select *, if(far <> 0, doubled::double / far, -1) as mean from base
),
never as (
    select user_id, t, null, null, 0, 0, null, 0, -1 from probes where user_id = 'never'
)
select *, mean + 1 as mean_and_one from (from means union all from never)
