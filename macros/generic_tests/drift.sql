{#
    Values are distributed as those of a baseline are: all of them are compared, no sample.

        - fsync.drift: {arguments: {columns: {user_30d_spend: {kind: number, baseline: {before: 28d}}}, holding: true}}
        - fsync.drift: {arguments: {kind: category, baseline: {relation: ref('last_year')}}}

    Each column has
        kind      number: Kolmogorov-Smirnov; category: chi-squared, rare ones taken together; age: of a time, as a
                  number of seconds at the instant looked at
        baseline  {before: 28d}, {at: 1998-01-01} of the same validity table; or {relation: …}, whole, with a column
                  of the same name (no ages)
        p         the p-value below which it drifts (0.01)
        effect    and at least this share of the values has to take part in it (0.05): the largest distance between
                  the distribution functions, of categories half the sum of the distances of their shares
        among     a condition on values that are compared, on both sides; all of them without it
    Of an age, the times themselves have to drift too: those that never change are older every day.
    p is adjusted for the columns of the test that have values on both sides (Benjamini and Hochberg).
    With `holding`, of a validity table, the rows that hold at the instant of the test are compared; with a `population`,
    only rows of the model that it is true of. NULLs are left out, and a column that has no values on one side passes.

    Returns a row for each column that drifts: (feature, statistic, p, q, effect, current, baseline), q being adjusted.
#}
{% test drift(model, column_name=none, columns=none, kind='number', baseline=none, p=0.01, effect=0.05,
              population=none, holding=false, as_of=none) %}
    {%- set at = fsync.as_of(as_of) -%}
    {%- set watched = columns or {column_name: {'kind': kind, 'baseline': baseline, 'p': p, 'effect': effect}} -%}
    {%- set numbers, categories = [], [] -%}
    {%- for name, about in watched.items() -%}
        {%- do fsync.check_drift(model, name, about, holding) -%}
        {%- set kind = about.get('kind', 'number') -%}
        {%- set about = dict(about, name=name, key=name, value=name) -%}
        {%- if kind == 'category' -%}{%- do categories.append(about) -%}
        {%- elif kind == 'age' -%}
            {%- do numbers.append(dict(about, value='age of')) -%}
            {%- do numbers.append(dict(about, key=name ~ ' itself', value='time of')) -%}
        {%- else -%}{%- do numbers.append(about) -%}
        {%- endif -%}
    {%- endfor %}
with limits as (

    {% for name, about in watched.items() -%}
    select
        {{ fsync.registry_literal(name) }} as feature,
        {{ fsync.share(about.get('p', 0.01)) }} as max_p,
        {{ fsync.share(about.get('effect', 0.05)) }} as min_effect
    {{ 'union all' if not loop.last }}
    {% endfor %}
),
{% if numbers %}
numbers as (
    {{ fsync.drift_values(model, numbers, 'double', population, holding, at) }}
),

steps as (

    select
        feature,
        sum(now) over (partition by feature order by value) as now_so_far,
        sum(before) over (partition by feature order by value) as before_so_far,
        sum(now) over (partition by feature) as m,
        sum(before) over (partition by feature) as n
    from numbers

),

measured as (

    select feature, m, n, max(abs(now_so_far * n - before_so_far * m)) as h
    from steps
    group by feature, m, n
    having m > 0 and n > 0

),

distances as (

    select measured.*, limits.feature as column_name, cast(h as double) / m / n as distance, min_effect
    from measured
    join limits on limits.feature = regexp_replace(measured.feature, ' itself$', '')

),

-- where too little has changed, p only counts among the others, and need not be exact
far as (
    select * from distances where distance >= min_effect
),

near as (
    select * from distances where distance < min_effect
),

p_values as (

    select * from ({{ fsync.ks_p_values('far') }})
    union all
    select * from ({{ fsync.ks_p_values('near', exact=false) }})

),
{% endif %}
{% if categories %}
categories as (
    {{ fsync.drift_values(model, categories, 'varchar', population, holding, at) }}
),

ranked as (

    select
        *,
        sum(now) over (partition by feature) as m,
        sum(before) over (partition by feature) as n,
        row_number() over (partition by feature order by now + before desc, value) as place
    from categories

),

-- the 50 most common, without those of which fewer than 5 are expected on one side; the others are one
pooled as (

    select
        feature, m, n,
        sum(now) as now,
        sum(before) as before
    from ranked
    where m > 0 and n > 0
    group by
        feature, m, n,
        if(place <= 50 and (now + before) * least(m, n) / (m + n) >= 5, value, null)

),

contingencies as (

    select
        feature, m, n,
        sum(
            (now - (now + before) * m / (m + n)) ** 2 / ((now + before) * m / (m + n))
            + (before - (now + before) * n / (m + n)) ** 2 / ((now + before) * n / (m + n))
        ) as statistic,
        count(*) - 1 as degrees,
        sum(abs(now / m - before / n)) / 2 as effect
    from pooled
    group by feature, m, n

),
{% endif %}
found as (

    {% if numbers -%}
    -- of an age and its times, the one that has changed less
    select
        column_name as feature,
        min(distance) as statistic,
        arg_min(p, distance) as p,
        min(distance) as effect,
        any_value(m) as m,
        any_value(n) as n
    from distances
    join p_values using (feature)
    group by column_name
    {{ 'union all' if categories }}
    {%- endif %}
    {% if categories -%}
    select feature, statistic, {{ fsync.chi_squared_p('statistic', 'degrees') }} as p, effect, m, n
    from contingencies
    {%- endif %}

),

adjusted as (

    select
        *,
        min(p * compared / place) over (order by p desc, place desc rows unbounded preceding) as q
    from (select *, row_number() over (order by p, feature) as place, count(*) over () as compared from found)

)

select feature, statistic, p, q, effect, m::bigint as current, n::bigint as baseline
from adjusted
join limits using (feature)
where q < max_p and effect >= min_effect
{% endtest %}
