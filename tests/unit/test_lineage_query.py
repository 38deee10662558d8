"""What columns of a query are made of. The oracles are written by hand, from the rule.

A value shows every column that it is computed from, except what is only counted, tested for NULL, filtered by, grouped
or ordered by. `a.b` is shown, `(a.b)` is told and not shown. `?` is a column of a name that is not known.

    people (id, email, city, tags, s)       all of their columns are known; s is a struct with k
    orders (id, person_id, amount, email)
    loose, other                            nothing is known of their columns

Every query that DuckDB runs over such tables is run: a value of which a column shows up in the answer has to be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pytest

from fsync.lineage.query import columns_read
from fsync.lineage.relation import Reads, Relation, table

TABLES = {
    "people": table("people", ("id", "email", "city", "tags", "s"), is_complete=True),
    "orders": table("orders", ("id", "person_id", "amount", "email"), is_complete=True),
    "part": table("part", ("email",)),
}
WHOLE = "people.id people.email people.city people.tags people.s"

PLAIN: dict[str, dict[str, str]] = {
    "select email, city as town from people": {"email": "people.email", "town": "people.city"},
    "select 1 as one, 'email' as text, null as nothing from people": {"one": "", "text": "", "nothing": ""},
    "select p.email from people p": {"email": "people.email"},
    "select P.Email as E from People as p": {"e": "people.email"},
    'select "EMAIL" as "Mixed Case" from "people"': {"mixed case": "people.email"},
    "select main.people.email from main.people": {"email": "main.people.email"},
    "from people select email": {"email": "people.email"},
    "from people": {"id": "people.id", "email": "people.email", "city": "people.city"},
    "select e: email from people": {"e": "people.email"},
    "table people": {"email": "people.email"},
    "select email from people;": {"email": "people.email"},
    "select email -- city\n/* phone */ from people; -- done": {"email": "people.email"},
    "(select email from people)": {"email": "people.email"},
    "select upper(email) || city as x from people": {"x": "people.email people.city"},
    "select email::varchar as x, cast(id as varchar) as y, try_cast(email as int) as z from people": {
        "x": "people.email",
        "y": "people.id",
        "z": "people.email",
    },
    "select s.k as x, s['k'] as y, struct_extract(s, 'k') as z, people.s.k as w from people": {
        "x": "people.s",
        "y": "people.s",
        "z": "people.s",
        "w": "people.s",
    },
    "select {'a': email} as x, [email, city] as y, struct_pack(b := email) as z, row(email) as r from people": {
        "x": "people.email",
        "y": "people.email people.city",
        "z": "people.email",
        "r": "people.email",
    },
    "select ({'a': email, 'b': id}).b as x from people": {"x": "people.email people.id"},
    "select people as x, to_json(p) as y from people, (select city from people) p": {"x": WHOLE, "y": "people.city"},
    "select list_transform(tags, x -> x || email) as x from people": {"x": "people.tags people.email"},
    "select list_filter(tags, lambda t: t > city) as x from people": {"x": "people.tags people.city"},
    "select hash(people.*) as x from people": {"x": WHOLE},
    "select email collate nocase as x, email like 'a%' as y from people": {"x": "people.email", "y": "people.email"},
    "select * from people limit 1": {"email": "people.email"},
}

CHOOSING: dict[str, dict[str, str]] = {
    "select id from people where email = 'a' order by city": {"id": "people.id"},
    "select city from people group by city, email having max(email) > 'a'": {"city": "people.city"},
    "select city from people qualify row_number() over (partition by email) = 1": {"city": "people.city"},
    "select distinct on (email) city from people order by id": {"city": "people.city"},
    "select distinct email from people": {"email": "people.email"},
    "select email is null as x, email is not null as y from people": {"x": "(people.email)", "y": "(people.email)"},
    "select (email = 'a') is true as x from people": {"x": "people.email"},
    "select email is not distinct from 'a' as x from people": {"x": "people.email"},
    "select coalesce(email, city) as x, nullif(email, 'a') as y from people": {
        "x": "people.email people.city",
        "y": "people.email",
    },
    "select case when email = 'a' then city else s.k end as x from people": {"x": "people.email people.city people.s"},
    "select case when email is null then city end as x from people": {"x": "(people.email) people.city"},
    "select case email when 'a' then 1 end as x, if(email > city, 1, 2) as y from people": {
        "x": "people.email",
        "y": "people.email people.city",
    },
    "select case when email is null then email end as x from people": {"x": "people.email"},
    "select email = 'a' as x, email in ('a', city) as y, email between city and 'z' as z from people": {
        "x": "people.email",
        "y": "people.email people.city",
        "z": "people.email people.city",
    },
}

AGGREGATES: dict[str, dict[str, str]] = {
    "select count(*) as a, count(email) as b, count(distinct email) as c from people": {
        "a": "",
        "b": "(people.email)",
        "c": "(people.email)",
    },
    "select count_if(email = 'a') as a, approx_count_distinct(email) as b from people": {
        "a": "(people.email)",
        "b": "(people.email)",
    },
    "select count(distinct (email, city)) as a, regr_count(id, id) as b from people": {
        "a": "(people.email) (people.city)",
        "b": "(people.id)",
    },
    "select count(*) filter (where email = 'a') as a, max(city) filter (where email = 'a') as b from people": {
        "a": "(people.email)",
        "b": "people.city (people.email)",
    },
    "select min(email) as a, any_value(email) as b, mode(email) as c, sum(id) as d from people": {
        "a": "people.email",
        "b": "people.email",
        "c": "people.email",
        "d": "people.id",
    },
    "select list(email) as a, string_agg(email, ',') as b, histogram(email) as c from people": {
        "a": "people.email",
        "b": "people.email",
        "c": "people.email",
    },
    "select list(city order by email) as a, string_agg(city, ',' order by email) as b from people": {
        "a": "people.city (people.email)",
        "b": "people.city (people.email)",
    },
    "select list(distinct email order by email) as a from people": {"a": "people.email"},
    "select arg_max(city, email) as a, max_by(city, email) as b, arg_min(city, email, 3) as c from people": {
        "a": "people.city (people.email)",
        "b": "people.city (people.email)",
        "c": "people.city (people.email)",
    },
    "select arg_max(email, id) as a, arg_max_null(city, email) as b from people": {
        "a": "people.email (people.id)",
        "b": "people.city (people.email)",
    },
    "select first(city order by email) as a, last(city order by email) as b from people": {
        "a": "people.city (people.email)",
        "b": "people.city (people.email)",
    },
    # here the order is the value
    "select mode() within group (order by email) as a from people": {"a": "people.email"},
    "select percentile_disc(0.5) within group (order by email) as a from people": {"a": "people.email"},
    "select listagg(city, ',') within group (order by email) as a from people": {"a": "people.city (people.email)"},
    "select max(email) is null as a, bool_or(email is null) as b from people": {
        "a": "(people.email)",
        "b": "(people.email)",
    },
    "select case when count(email) > 1 then city end as a from people group by city": {
        "a": "(people.email) people.city"
    },
    "select sum(case when email = 'a' then 1 end) as a from people": {"a": "people.email"},
    "select grouping(email) as a from people group by cube (email)": {"a": "(people.email)"},
}

WINDOWS: dict[str, dict[str, str]] = {
    "select row_number() over (partition by email order by city) as a from people": {
        "a": "(people.email) (people.city)"
    },
    "select rank() over (order by email) as a, ntile(4) over (order by email) as b from people": {
        "a": "(people.email)",
        "b": "(people.email)",
    },
    "select lag(email) over (order by id) as a, first_value(email) over (order by id) as b from people": {
        "a": "people.email (people.id)",
        "b": "people.email (people.id)",
    },
    "select max(city) over (partition by email) as a, count(email) over () as b from people": {
        "a": "people.city (people.email)",
        "b": "(people.email)",
    },
    "select sum(id) over w as a from people window w as (partition by email order by city)": {"a": "people.id"},
    "select sum(id) over (order by id rows between 1 preceding and current row) as a from people": {"a": "people.id"},
    "select lag(city, 1, email) over (order by id) as a from people": {"a": "people.city people.email (people.id)"},
}

QUERIES: dict[str, dict[str, str]] = {
    "with a as (select email as x from people) select x from a": {"x": "people.email"},
    "with a as (select email from people), b as (select upper(email) as u from a) select u from b": {
        "u": "people.email"
    },
    "with a(x, y) as (select id, email from people) select y, x from a": {"y": "people.email", "x": "people.id"},
    "with a as (with b as (select email as z from people) select z from b) select z from a": {"z": "people.email"},
    # the inner b is the one that is meant
    "with b as (select city as z from people), a as (with b as (select email as z from people) select z from b) "
    "select a.z, b.z as w from a, b": {"z": "people.email", "w": "people.city"},
    # a CTE of the name of a table reads the table
    "with people as (select city as email from people) select email from people": {"email": "people.city"},
    "with people as (select id from people) select * from people": {"id": "people.id"},
    "with a as materialized (select email from people) from a": {"email": "people.email"},
    "select x from (select email as x, city from people) q": {"x": "people.email"},
    "select q.* from (select email, count(city) as n from people group by 1) as q": {
        "email": "people.email",
        "n": "(people.city)",
    },
    "select max(n) as m from (select count(email) as n from people group by city) q": {"m": "(people.email)"},
    "select (select max(email) from people) as x from orders": {"x": "people.email"},
    "select (select max(p.city) from people p where p.email = o.email) as x from orders o": {"x": "people.city"},
    "select (select o.email) as x from orders o": {"x": "orders.email"},
    "select (select max(amount) from people) as x from orders": {"x": "orders.amount"},
    "select (select count(email) from people) as x from orders": {"x": "(people.email)"},
    "select exists (select email from people where people.id = orders.id) as x from orders": {"x": "(people.email)"},
    "select not exists (from people) as x from orders": {
        "x": "(people.id) (people.email) (people.city) (people.tags) (people.s)"
    },
    "select id in (select person_id from orders) as x from people": {"x": "people.id orders.person_id"},
    "select id = any (select person_id from orders) as x from people": {"x": "people.id orders.person_id"},
    "select id from people where email in (select email from orders)": {"id": "people.id"},
    "select array(select email from people) as x from orders": {"x": "people.email"},
    "select list_contains((select list(email) from people), 'a') as x from orders": {"x": "people.email"},
    "with recursive r as (select 1 as n, email as e from people union all select n + 1, e from r where n < 3) "
    "select n, e from r": {"n": "", "e": "people.email"},
    # what moves by a column each time
    "with recursive r(a, b, c, n) as (select 'x', 'x', email, 1 from people union all select b, c, c, n + 1 from r "
    "where n < 4) select a, b, c, n from r": {"a": "people.email", "b": "people.email", "c": "people.email", "n": ""},
    "with recursive r as (select id as n from people union select n + 1 from r where n < 3), q as (select email from "
    "people) select n, email from r, q": {"n": "people.id", "email": "people.email"},
}

SETS: dict[str, dict[str, str]] = {
    "select email as x from people union all select city from people": {"x": "people.email people.city"},
    "select id, email from people union select id, city as email from people": {
        "id": "people.id",
        "email": "people.email people.city",
    },
    # by position, whatever the names are
    "select city, email from people union all select email, city from people": {
        "city": "people.city people.email",
        "email": "people.email people.city",
    },
    "select id, id, 'x' as z from people union all select id, id, email from people": {
        "id": "people.id",
        "z": "people.email",
    },
    "select email, city from people union by name select city, id from people": {
        "email": "people.email",
        "city": "people.city",
        "id": "people.id",
    },
    "select city as x from people except select email from people": {"x": "people.city (people.email)"},
    "select city as x from people intersect select email from people": {"x": "people.city people.email"},
    "(select 'a' as x) union all (select email from people) order by 1 limit 3": {"x": "people.email"},
    "select 'a' as x union all select 'b' union all select email from people": {"x": "people.email"},
    "with a as (select * from people) select email from a union all select city from a": {
        "email": "people.email people.city"
    },
    "values (1, 'a'), (2, 'b')": {"col0": "", "col1": ""},
    "select e from (values (1, 'a')) as v(n, e)": {"e": ""},
    "select v.x from people, lateral (values (email), (city)) v(x)": {"x": "people.email people.city"},
}

STARS: dict[str, dict[str, str]] = {
    "select p.*, amount from people p join orders o on o.id = p.id": {
        "email": "people.email",
        "s": "people.s",
        "amount": "orders.amount",
    },
    "select * exclude (email, s) from people": {"id": "people.id", "city": "people.city", "email": "-"},
    "select * exclude email replace (upper(city) || id as city) from people": {
        "city": "people.city people.id",
        "email": "-",
    },
    "select * replace (email as city) from people": {"city": "people.email", "email": "people.email"},
    "select * rename (email as mail) from people": {"mail": "people.email", "email": "-"},
    "select people.* exclude (id) from people": {"email": "people.email", "id": "-"},
    "select columns('e.*') from people": {"email": "people.email"},
    "select columns(c -> c like 'e%') from people": {"email": "people.email"},
    "select * like 'e%' from people": {"email": "people.email"},
    "select columns('(em)ail') as '\\1' from people": {"?": WHOLE},
    "select min(columns(* exclude (s, tags))) from people": {"?": "people.id people.email people.city"},
    "select count(columns(*)) from people": {"?": "(people.id) (people.email) (people.city) (people.tags) (people.s)"},
    "select q.email from (select *, 'x' as extra from people) q": {"email": "people.email"},
    # engines call the second one email_1
    "select email_1 as x from (select people.email, orders.email from people, orders) q": {
        "x": "people.email orders.email"
    },
    "select #2 as x from (select id, email from people) q": {"x": "people.id people.email"},
}

JOINS: dict[str, dict[str, str]] = {
    "select p.email, o.amount from people p left join orders o on o.email = p.email": {
        "email": "people.email",
        "amount": "orders.amount",
    },
    "select city, amount from people, orders": {"city": "people.city", "amount": "orders.amount"},
    "select email from people join orders using (email)": {"email": "people.email orders.email"},
    "select email from people full join orders using (email)": {"email": "people.email orders.email"},
    "select p.email from people p join orders o using (email)": {"email": "people.email"},
    "select coalesce(p.email, o.email) as x from people p full join orders o on o.id = p.id": {
        "x": "people.email orders.email"
    },
    # email of USING stands there once: what comes after it keeps its place
    "select * exclude (tags, s) from people join orders using (id, email) union all select 1, 'a', 'b', 2, city from "
    "people": {
        "id": "people.id orders.id",
        "email": "people.email orders.email",
        "amount": "orders.amount people.city",
    },
    "select email from people natural join orders": {"email": "people.email orders.email"},
    "select * from people semi join orders using (id)": {"email": "people.email", "amount": "-"},
    "select * from people anti join orders on orders.email = people.email": {"email": "people.email", "amount": "-"},
    "select p.city from people p asof join orders o on o.email = p.email and o.id >= p.id": {"city": "people.city"},
    "select amount from people positional join orders": {"amount": "orders.amount"},
    "select x.amount, p.email from (people p join orders x on x.id = p.id)": {
        "amount": "orders.amount",
        "email": "people.email",
    },
    "select l.e from people p, lateral (select p.email as e) l": {"e": "people.email"},
    "select l.e from people p join lateral (select email as e) l on true": {"e": "people.email"},
    "select e from people, (select email as e)": {"e": "people.email"},
    "select v from people p, unnest(p.tags) u(v)": {"v": "people.tags"},
    "select u.v, p.id from people p, lateral unnest([email, city]) as u(v)": {
        "v": "people.email people.city",
        "id": "people.id",
    },
    "select unnest(tags) as x from people": {"x": "people.tags"},
    "select k from (select unnest(s) from people) q": {"k": "people.s"},
    "select i, email from people, range(3) r(i)": {"i": "", "email": "people.email"},
    "select g.i from people p, generate_series(1, p.id) g(i)": {"i": "people.id"},
    "select a.email, b.email as other from people a join people b on a.id = b.id": {
        "email": "people.email",
        "other": "people.email",
    },
}

ALIASES: dict[str, dict[str, str]] = {
    "select email as e, upper(e) as f, length(f) as g from people": {
        "e": "people.email",
        "f": "people.email",
        "g": "people.email",
    },
    # a column goes before an alias
    "select email as city, city as x from people": {"city": "people.email", "x": "people.city"},
    "select count(email) as n, n + 1 as m from people": {"n": "(people.email)", "m": "(people.email)"},
}

PIVOTS: dict[str, dict[str, str]] = {
    "pivot people on city using count(email) group by id": {"?": WHOLE},
    "select * from orders pivot (max(email) for amount in (1, 2))": {
        "?": "orders.id orders.person_id orders.amount orders.email"
    },
    "with p as (pivot orders on amount using max(email)) select id as x from p": {
        "x": "orders.id orders.person_id orders.amount orders.email"
    },
    "select v from people unpivot (v for n in (email, city))": {"v": WHOLE},
}

#: nothing is known of the columns of loose and other
UNKNOWN: dict[str, dict[str, str]] = {
    "select a, l.b from loose l": {"a": "loose.a", "b": "loose.b"},
    "select * from loose": {"*": "loose"},
    "select a from (select * from loose) q": {"a": "loose.a"},
    "select *, upper(a) as u from loose": {"u": "loose.a", "*": "loose"},
    "select a from loose, other": {"a": "loose.a other.a"},
    "select l.a, o.b from loose l, other o": {"a": "loose.a", "b": "other.b"},
    "select email from loose, people": {"email": "people.email"},
    "select nick from part, people": {"nick": "part.nick"},
    "select email from part, loose": {"email": "part.email"},
    "select l.s.k from loose l": {"k": "loose.s"},
    "select s.k from loose": {"k": "loose.s"},
    "select l as x from loose l": {"x": "loose.* loose.l"},
    # a name that is there twice, as engines call it
    "select email_1 as x from (select loose.*, other.* from loose, other) q": {
        "x": "loose.email_1 other.email_1 loose.email other.email"
    },
    "select * exclude (a) replace (upper(b) as b) from loose": {"b": "loose.b", "*": "loose"},
    "select a from (select * rename (email as a) from loose) q": {"a": "loose.email"},
    "select a from (select * from loose) q, lateral (select a as b) r": {"a": "loose.a"},
    # columns of unknown tables: of the one inside, or of the one around
    "select (select max(x) from other) as m from loose": {"m": "other.x loose.x"},
    "select (select max(email) from other) as m from people": {"m": "other.email people.email"},
    # of the same names, and else of any
    "select * from loose union all select * from other": {"a": "loose.a other.a", "*": "loose other"},
    "select * from loose union all select id, email from people": {"a": "loose.a people.id people.email"},
    "select id, city from people union all select * from loose": {
        "id": "people.id loose.*",
        "city": "people.city loose.*",
    },
    "select t.x from loose as t(w, x)": {"x": "loose.*"},
    "with a as (select * from loose join other using (id)) select id, z from a": {
        "id": "loose.id other.id",
        "z": "loose.z other.z",
    },
    "select a in other as x from loose": {"x": "loose.a loose.other"},
    "select x from 'people.parquet'": {"x": "people.parquet.x"},
    # no table has it: a fault, or more than is understood here
    "select nowhere from people": {"nowhere": WHOLE},
    "select p.nowhere from people p": {"nowhere": WHOLE},
}

#: names that are not known until dbt runs
NOT_KNOWN_YET: dict[str, dict[str, str]] = {
    "select fsync_unknown as x, 'fsync_unknown' as y, 90571209571320957 as z from people": {
        "x": WHOLE,
        "y": "",
        "z": "",
    },
    "select col_fsync_unknown from people": {"?": WHOLE},
    "select id from people where fsync_unknown": {"id": "people.id"},
}

OPAQUE = (
    "",
    "select",
    "select 1; select email from people",
    "insert into people select 1",
    "create table x as select email from people",
    "drop table people",
    "describe people",
    "summarize people",
    "select {{ column }} from people",
    "select email from {{ ref('people') }}",
    "{% if x %} select 1 {% endif %}",
    "select * from query('select email from people')",
    "select * from query_table('people')",
    "select email as fsync_unknown from people",
    "select email from fsync_unknown",
    "select email from fsync_unknown.people",
    "select * exclude (fsync_unknown) from people",
    "select " + "(" * 100 + "email" + ")" * 100 + " from people",
    "select email from people " + " " * 200_000,
    "with recursive r as (select email from r) select",
    "with c0 as (from people), "
    + ", ".join(f"c{at + 1} as (select x.*, y.* from c{at} x, c{at} y)" for at in range(60))
    + " from c60",
    "select email" + "[1]" * 20_000 + " from people",
    "\x00",
)

ALL_CASES = {
    **PLAIN, **CHOOSING, **AGGREGATES, **WINDOWS, **QUERIES, **SETS, **STARS, **JOINS, **ALIASES, **PIVOTS, **UNKNOWN,
    **NOT_KNOWN_YET,
}  # fmt: skip


@pytest.mark.parametrize("sql", ALL_CASES)
def test_columns_are_made_of(sql: str) -> None:
    relation = columns_read(sql, TABLES.get, "duckdb")
    assert relation is not None, "opaque"
    for name, expected in ALL_CASES[sql].items():
        if name == "*":
            assert relation.tables == frozenset(expected.split())
        elif expected == "-":
            assert not relation.has(name)
        else:
            reads = relation.others if name == "?" else relation.column(name)
            assert reads is not None, f"no column {name}"
            assert _told(reads) == _oracle(expected), name
    if not {"*", "?"} & ALL_CASES[sql].keys() and sql not in UNKNOWN | PIVOTS:
        assert relation.tables == frozenset() or "main." in sql


@pytest.mark.parametrize("sql", OPAQUE)
def test_what_is_not_understood_is_opaque(sql: str) -> None:
    assert columns_read(sql, TABLES.get, "duckdb") is None


def test_a_chain_of_thousands_is_no_recursion() -> None:
    chain = " or ".join(f"email = '{number}'" for number in range(3_000))
    relation = columns_read(f"select {chain} as x from people", TABLES.get, "duckdb")
    assert relation is None or _told(relation.by_name["x"]) == {("people", "email"): True}


def _told(reads: Reads) -> Mapping[tuple[str, str], bool]:
    found: dict[tuple[str, str], bool] = {}
    for read in reads:
        key = (read.table, read.column)
        found[key] = found.get(key, False) or read.exposes
    return found


def _oracle(text: str) -> Mapping[tuple[str, str], bool]:
    found = {}
    for word in text.split():
        before, _, column = word.strip("()").rpartition(".")
        found[before, column] = not word.startswith("(")
    return found


# ---------------------------------------------------------------- held against the engine


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables whose every value says which column it is of."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table people as select 7001 as id, '<people.email>' as email, '<people.city>' as city, "
            "['<people.tags>'] as tags, {'k': '<people.s>'} as s"
        )
        connection.execute(
            "create table orders as select 7001 as id, 7001 as person_id, '<orders.amount>' as amount, "
            "'<orders.email>' as email"
        )
        yield connection


@pytest.mark.parametrize("sql", [sql for sql in ALL_CASES if sql not in UNKNOWN | NOT_KNOWN_YET])
def test_what_the_engine_shows_is_shown(sql: str, engine: duckdb.DuckDBPyConnection) -> None:
    relation = columns_read(sql, TABLES.get, "duckdb")
    assert relation is not None
    try:
        answer = engine.execute(sql)
    except duckdb.Error as error:
        pytest.skip(f"DuckDB does not run it: {error}")
    names = [column[0].lower() for column in answer.description]
    for row in answer.fetchall():
        for name, value in zip(names, row, strict=True):
            for seen in _seen(value):
                assert f"{seen} is shown" in _shown(relation, name), f"{name} has {value}"


def _seen(value: object) -> list[str]:
    return [part.partition(">")[0] for part in str(value).lower().split("<")[1:] if ">" in part]


def _shown(relation: Relation, name: str) -> set[str]:
    reads = relation.column(name)
    found = relation.everything if reads is None else reads
    return {f"{read.table.removeprefix('main.')}.{read.column} is shown" for read in found if read.exposes}
