with e as (
    select *, date_trunc('millisecond', happened at time zone 'UTC') as e from events
)
select
    p.country,
    p.shop,
    p.t,
    count(*) filter (p.t - interval 1 day <= e.e and note = 'it''s {{ fine }}') as fine_1d,
    coalesce(sum(score) filter (p.t - interval 1 day <= e.e and (note is null or note not in ('x', '{% raw %}'))), 0)
        as score_1d,
    max(case when score >= 1 and score <= 3 then score else abs(score) / 2 end)
        filter (p.t - interval 1 day <= e.e) as high_1d,
    coalesce(arg_max(upper(note), (e.e, id)) filter (note is not null), '{# none #}') as last_note
from probes p
left join e on e.country = p.country and e.shop = p.shop and e.e < p.t
group by all
