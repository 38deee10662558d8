-- hosts, bits and cube roots of amounts by hand; a division by zero is NULL, and instants have whole milliseconds
with bits (amount, quotient, root) as (
    values (3, 2 / 2.0, 1.44), (1, null, 1.00), (7, 3 / 6.0, 1.91), (2, 1 / 1.0, 1.26)
),
hosts (url, host) as (
    values ('https://a.example/x', 'a'), ('https://a.example/y', 'a'), ('http://b.example/x', 'b'), ('no url', '')
),
base as (
    select
        p.user_id,
        p.t,
        count(distinct hosts.host) as hosts_1d,
        coalesce(sum(bits.quotient::double), 0) as bits_1d,
        count(*) filter (e.url in ('https://a.example/x', 'https://a.example/y')) as secure_1d,
        count(*) filter (e.paid_at < timestamp '2024-01-02') as before_2nd_1d,
        max(e.paid_at) + interval 1 millisecond as later_1d,
        coalesce(sum(bits.root), 0) as roots_1d
    from probes p
    left join events e on e.user_id = p.user_id and e.paid_at < p.t and p.t - interval 1 day <= e.paid_at
    left join bits using (amount)
    left join hosts on hosts.url = e.url
    group by all
)
select *, '00' || hosts_1d as padded from base
