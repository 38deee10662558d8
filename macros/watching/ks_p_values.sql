{#
    The p-values of two-sample Kolmogorov-Smirnov tests, two-sided: a query of (feature, p).

    `measured` is a relation of (feature, m, n, h), a row a test: the sizes of the two samples, and the statistic times
    both of them, max |m F_n - n F_m|, which is a whole number; so nothing is rounded.

    Up to 10,000 values a sample, p is exact, as that of scipy's ks_2samp is. It is the share of the ways to shuffle both
    samples into one that somewhere lead as far from the diagonal as h. Of samples of one size these can be counted by
    reflection; of others, a walk adds up the chances to be at each place that is nearer, step by step.
    Beyond that it is the distribution of the one-sample statistic for round(m n / (m + n)) values, as scipy's is too: for
    fewer than 250 by the matrix of Marsaglia, Tsang and Wang (J. Statist. Software 8, 2003), which is exact; for more by
    the expansion of Pelz and Good (J. R. Statist. Soc. B 38, 1976), which is then good to 1e-6.
    It is so from 1,000 values a sample on where p need not be `exact`, in a fraction of the time.
#}
{% macro ks_p_values(measured, exact=true) %}
    {{ return(adapter.dispatch('ks_p_values', 'fsync')(measured, exact)) }}
{% endmacro %}


{% macro duckdb__ks_p_values(measured, exact=true) %}
with recursive tests as (

    select
        feature,
        cast(m as bigint) as m,
        cast(n as bigint) as n,
        cast(h as hugeint) as h,
        -- the statistic, and how many values of one sample would make it as sure
        cast(h as double) / m / n as d,
        round_even(cast(m as double) * n / (m + n), 0) as size
    from {{ measured }}
    where m > 0 and n > 0

),

sorted as (

    select
        *,
        d * sqrt(size) as z,
        case
            when h = 0 then 'nothing'
            -- p is below 1e-15
            when cast(m as double) * n / (m + n) * d * d > 18 then 'sure'
            when greatest(m, n) <= {{ 10000 if exact else 1000 }} then if(m = n, 'reflected', 'walked')
            when size < 250 then 'few'
            else 'large'
        end as method
    from tests

),

walk as (

    select
        feature, m, n, h,
        cast(n as double) / (m + n) as chance,
        cast(0 as bigint) as step,
        cast(0 as bigint) as low,
        [cast(1 as double)] as chances
    from sorted
    where method = 'walked'

    union all

    -- the chances of having taken `low`, `low` + 1, … values of the second sample after so many steps
    select
        feature, m, n, h, chance, step, low,
        list_transform(
            range(low, high + 1),
            lambda taken: (1 - chance) * coalesce(chances[taken - was + 1], 0)
                + chance * coalesce(chances[taken - was], 0)
        )
    from (
        select
            feature, m, n, h, chance, chances,
            step + 1 as step,
            low as was,
            greatest(
                0,
                step + 1 - m,
                case when (step + 1) * n < h then 0 else ((step + 1) * n - h) // (m + n) + 1 end
            )::bigint as low,
            least(n, step + 1, ((step + 1) * n + h - 1) // (m + n))::bigint as high
        from walk
        where step < m + n
    )

),

multiplied as (

    select
        *,
        cast(0 as bigint) as step,
        list_transform(range(1, 2 * k), lambda i: if(i = k, 1e0, 0e0)) as chances,
        -- column by column; `short` is what is missing to the next whole number
        list_transform(range(1, 2 * k), lambda j: list_transform(range(1, 2 * k), lambda i: if(
            i + 1 < j,
            0e0,
            (
                1e0
                - if(j = 1, short ** i, 0e0)
                - if(i = 2 * k - 1, short ** (i - j + 1), 0e0)
                + if(j = 1 and i = 2 * k - 1, greatest(0e0, 2 * short - 1) ** i, 0e0)
            ) / gamma(i - j + 2)
        ))) as matrix
    from (
        select feature, size, floor(size * d)::bigint + 1 as k, floor(size * d) + 1 - size * d as short
        from sorted
        where method = 'few'
    )

    union all

    select
        feature, size, k, short,
        step + 1,
        list_transform(matrix, lambda of_column: list_dot_product(chances, of_column) * (step + 1) / size),
        matrix
    from multiplied
    where step < size

),

expanded as (

    select
        feature,
        z,
        size,
        sqrt(pi() / 2) as root,
        list_transform(range(0, 12), lambda k: pi() * pi() * (k + 0.5) * (k + 0.5)) as halves,
        list_transform(range(1, 12), lambda k: pi() * pi() * k * k) as wholes
    from sorted
    where method = 'large'

)

select feature, cast(if(method = 'nothing', 1, 0) as double) as p
from sorted
where method in ('nothing', 'sure')

union all

select
    feature,
    2 * list_sum(list_transform(
        range(1, (n * n // h)::bigint + 1),
        lambda k: if(k % 2 = 1, 1, -1) * exp(
            2 * lgamma(n + 1) - lgamma(n - k * (h // n) + 1) - lgamma(n + k * (h // n) + 1)
        )
    )) as p
from sorted
where method = 'reflected'

union all

select
    feature,
    greatest(0, 1 - coalesce(chances[1], 0) / exp(
        lgamma(m + n + 1) - lgamma(n + 1) - lgamma(m + 1) + n * ln(chance) + m * ln(1 - chance)
    )) as p
from walk
where step = m + n

union all

select feature, greatest(0, 1 - chances[k]) as p
from multiplied
where step = size

union all

select
    feature,
    if(z < 0.05, 1, greatest(0, least(1, 1 - (
        root / z * list_sum(list_transform(halves, lambda a: 2 * exp(-a / (2 * z ** 2))))
        + root / (6 * z ** 4) / sqrt(size)
            * list_sum(list_transform(halves, lambda a: 2 * exp(-a / (2 * z ** 2)) * (a - z ** 2)))
        + (
            root / (72 * z ** 7) * list_sum(list_transform(halves, lambda a: 2 * exp(-a / (2 * z ** 2)) * (
                6 * z ** 6 + 2 * z ** 4 + a * (2 * z ** 4 - 5 * z ** 2) + a ** 2 * (1 - 2 * z ** 2)
            )))
            - root / (36 * z ** 3) * list_sum(list_transform(wholes, lambda b: 2 * exp(-b / (2 * z ** 2)) * b))
        ) / size
        + (
            root / (6480 * z ** 10) * list_sum(list_transform(halves, lambda a: 2 * exp(-a / (2 * z ** 2)) * (
                a ** 3 * (5 - 30 * z ** 2) + a ** 2 * (212 * z ** 4 - 60 * z ** 2)
                + a * (135 * z ** 4 - 96 * z ** 6) - 30 * z ** 6 - 90 * z ** 8
            )))
            + root / (216 * z ** 6) * list_sum(list_transform(
                wholes, lambda b: 2 * exp(-b / (2 * z ** 2)) * (3 * b * z ** 2 - b ** 2)
            ))
        ) / size ** 1.5
    )))) as p
from expanded
{% endmacro %}
