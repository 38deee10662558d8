-- as of t, the value is the exact one as of the last full hour before t
with e as (
    select *, date_trunc('millisecond', paid_at) as e from events
),
at_hours as (
    select *, date_trunc('hour', t - interval 1 millisecond) as g from probes
),
base as (
    select
        p.user_id,
        p.t,
        (select count(*) from e where e.user_id = p.user_id and p.g - interval 1 hour <= e.e and e.e < p.g) as count_1h,
        (select coalesce(sum(amount), 0) from e where e.user_id = p.user_id and p.g - interval 1 day <= e.e and e.e < p.g)
            as hourly_sum_1d,
        (select amount from e where e.user_id = p.user_id and p.g - interval 2 hour <= e.e and e.e < p.g
            and amount is not null order by e.e, order_id limit 1) as first_2h,
        (select order_id from e where e.user_id = p.user_id and e.e < p.g order by e.e desc, order_id desc limit 1)
            as hourly_last,
        (select order_id from e where e.user_id = p.user_id and p.g - interval 2 hour <= e.e and e.e < p.g
            order by e.e desc, order_id desc limit 1) as last_2h,
        (select count(*) from e where e.user_id = p.user_id and e.e < p.g) as orders
    from at_hours p
)
select *, hourly_sum_1d / nullif(orders, 0) as hourly_mean_1d from base
