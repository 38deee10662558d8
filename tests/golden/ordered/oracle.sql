-- the oldest or newest value that is not NULL, by the instant, then page, then visit; latest with a ttl T is the
-- newest with t - T <= e
with e as (
    select *, date_trunc('millisecond', seen_at) as e from events
),
base as (
    select
        p.day,
        p.t,
        (select channel from e where e.day = p.day and e.e < p.t and p.t - interval 2 day <= e.e and channel is not null
            order by e.e, page, visit limit 1) as first_2d,
        (select channel from e where e.day = p.day and e.e < p.t and p.t - interval 2 day <= e.e and channel is not null
            order by e.e desc, page desc, visit desc limit 1) as last_2d,
        coalesce((select channel from e where e.day = p.day and e.e < p.t and channel is not null
            order by e.e, page, visit limit 1), 'none') as first_ever,
        (select channel from e where e.day = p.day and e.e < p.t and channel is not null
            order by e.e desc, page desc, visit desc limit 1) as last_ever,
        coalesce((select page from e where e.day = p.day and e.e < p.t and p.t - interval 1 day <= e.e
            order by e.e desc, page desc, visit desc limit 1), 'none') as last_page_1d,
        (select visit from e where e.day = p.day and e.e < p.t and p.t - interval 2 day <= e.e and channel = 'shop'
            order by e.e desc, page desc, visit desc limit 1) as last_shop_visit_2d
    from probes p
)
select *, first_2d = last_2d as returned from base
