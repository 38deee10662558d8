-- what each event contributes was worked out by hand: 2024-05-05 is a Sunday, 1969-12-31 a Wednesday
with by_hand(id, square, rest, root, early, waited, week, sale, best) as (
    values
        (1, 9999999998000000.0001, null, 9999.9999995e0, true, 11, '2024-04-29/{% Sale!', false, 99999999.99),
        (2, 9999999998000000.0001, 0.99, 9999.9999995e0, false, 36, '2024-04-29/{{ Sale }}', true, 99999999.99),
        (3, 0.0025, -0.05, null, false, null, '2024-05-06/sale', false, 3),
        (4, 410.0625, -2.25, null, true, -24, null, false, 1),
        (5, 39.0625, 6.25, 2.5, false, -1, '1969-12-29/{% SALE?', true, 9),
        (6, null, null, null, true, 24, '1969-12-29/x', false, 1)
),
e as (
    select events.shop, date_trunc('millisecond', events.happened) as e, by_hand.*
    from events join by_hand using (id)
),
told as (
    select
        p.shop,
        p.t,
        coalesce(sum(square) filter (p.t - interval 1 day <= e.e), 0) as squares_1d,
        coalesce(sum(rest) filter (p.t - interval 1 day <= e.e), 0) as rest_1d,
        max(root) filter (p.t - interval 1 day <= e.e) as root_1d,
        count(*) filter (p.t - interval 1 day <= e.e and early) as early_1d,
        max(waited) filter (p.t - interval 1 day <= e.e) as waited_1d,
        arg_max(week, (e.e, id)) filter (week is not null) as week,
        count(*) filter (p.t - interval 1 day <= e.e and sale) as sales_1d,
        max(best) filter (p.t - interval 1 day <= e.e) as best_1d
    from probes p
    left join e on e.shop = p.shop and e.e < p.t
    group by all
)
select *, round(squares_1d, 1) + early_1d as rounded_1d, floor(best_1d)::bigint % 7 as whole_1d
from told
