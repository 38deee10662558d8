"""The wire contract, its bytes written out by hand."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import duckdb
import pytest
from redis.crc import key_slot

from fsync import wire
from fsync.errors import InputError
from fsync.language import types
from fsync.language.types import SqlType, decimal
from fsync.sql.online import online_query

ID = [("user_id", types.BIGINT)]
NAME = [("name", types.VARCHAR)]
PAIR = [("country", types.VARCHAR), ("shop", types.BIGINT)]


@pytest.mark.parametrize(
    ("key", "columns", "text"),
    [
        (42, ID, "42"),
        ("042", ID, "42"),
        (-1, ID, "-1"),
        ("042", NAME, "042"),
        ("", NAME, "%"),
        ("a|b", NAME, "a%7Cb"),
        ("a%7Cb", NAME, "a%257Cb"),
        ("{42}", NAME, "%7B42%7D"),
        ("line\nfeed\x00", NAME, "line%0Afeed%00"),
        ("größe 🦆", NAME, "größe 🦆"),
        (("FR", 7), PAIR, "FR|7"),
        (("F|R", 7), PAIR, "F%7CR|7"),
        (("", 7), PAIR, "%|7"),
        (UUID("12345678-1234-5678-1234-56781234ABCD"), [("id", types.UUID)], "12345678-1234-5678-1234-56781234abcd"),
        ("12345678123456781234567812345678", [("id", types.UUID)], "12345678-1234-5678-1234-567812345678"),
        (date(1998, 7, 1), [("day", types.DATE)], "1998-07-01"),
    ],
)
def test_an_entity_has_one_text(key: wire.Key, columns: list[tuple[str, SqlType]], text: str) -> None:
    assert wire.entity_text(key, columns) == text


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        ("x", ID),
        (4.2, ID),
        (True, ID),
        (None, ID),
        (42, NAME),
        ("\ud800", NAME),
        ("FR", PAIR),
        (("FR", 7, 8), PAIR),
        (datetime(1998, 7, 1), [("day", types.DATE)]),
        ("not-a-uuid", [("id", types.UUID)]),
    ],
)
def test_what_is_no_key_is_refused(key: wire.Key, columns: list[tuple[str, SqlType]]) -> None:
    with pytest.raises(InputError):
        wire.entity_text(key, columns)


def test_keys_are_as_the_contract_says() -> None:
    assert wire.entity_key("fs", "715776b2", "user_lifetime", "42") == "fs:{42}:user_lifetime:715776b2"
    assert wire.around_entity("fs", "user_lifetime", "715776b2") == ("fs:{", "}:user_lifetime:715776b2")
    assert wire.meta_key("fs", "user_lifetime") == "fs:view:user_lifetime"
    assert wire.version_key("fs", "user_lifetime", "715776b2") == "fs:version:{fs:view:user_lifetime}:715776b2"
    assert wire.lease_key("fs", "user_lifetime") == "fs:lease:{fs:view:user_lifetime}"


@pytest.mark.parametrize("view", ["user_lifetime", "v"])
def test_all_that_is_about_a_view_is_in_one_slot_and_so_is_all_about_an_entity(view: str) -> None:
    about = [wire.meta_key("fs", view), wire.version_key("fs", view, "715776b2"), wire.lease_key("fs", view)]
    assert len({key_slot(key.encode()) for key in about}) == 1
    entity = [wire.entity_key("fs", "715776b2", name, "42") for name in (view, "other")]
    assert len({key_slot(key.encode()) for key in entity}) == 1


def test_a_text_is_split_at_its_bars_where_the_entity_has_several_columns() -> None:
    assert wire.entity_text("FR|7", PAIR) == wire.entity_text(("FR", 7), PAIR) == "FR|7"
    assert wire.entity_text("F%7CR%257C|7", PAIR) == wire.entity_text(("F|R%7C", 7), PAIR)
    assert wire.entity_text("F%7cR|7", PAIR) == wire.entity_text(("F|R", 7), PAIR)
    assert wire.entity_text("a|b", NAME) == "a%7Cb", "a key of one column is taken as it is"
    with pytest.raises(InputError, match="write a percent"):
        wire.entity_text("100%|7", PAIR)


VALUES: list[tuple[SqlType, Any, str]] = [
    (types.BIGINT, 9_223_372_036_854_775_807, "9223372036854775807"),
    (types.BIGINT, -1, "-1"),
    (types.BOOLEAN, True, "true"),
    (types.DOUBLE, 0.1, "0.1"),
    (types.DOUBLE, 1e300, "1e300"),
    (types.DOUBLE, math.inf, '"Infinity"'),
    (types.DOUBLE, -math.inf, '"-Infinity"'),
    (types.VARCHAR, 'say "hi"\n🦆', '"say \\"hi\\"\\n🦆"'),
    (decimal(38, 2), Decimal("38.30"), '"38.30"'),
    (decimal(38, 10), Decimal("0E-10"), '"0.0000000000"'),
    (decimal(38, 0), Decimal(10) ** 37, '"1' + "0" * 37 + '"'),
    (types.DATE, date(1998, 7, 1), '"1998-07-01"'),
    (types.TIMESTAMP, datetime(1998, 7, 1, 0, 0, 0, 1000), "899251200001"),
    (types.UUID, UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
]


@pytest.mark.parametrize(("kind", "value", "text"), VALUES)
def test_the_text_of_a_value_is_read_back(kind: SqlType, value: Any, text: str) -> None:
    (first, second) = wire.decode(f"[[5,[{text}]],[7,[null]]]".encode(), [kind])
    assert first == (5, (value,))
    assert type(first[1][0]) is type(value)
    assert second == (7, (None,))


@pytest.mark.parametrize(("kind", "value", "text"), VALUES)
def test_the_warehouse_writes_the_text_of_a_value(kind: SqlType, value: Any, text: str) -> None:
    """Two changes, and a third that changes nothing."""
    view: Any = SimpleNamespace(
        name="v",
        hash="1111aaaa",
        entity=(SimpleNamespace(name="id", type=types.BIGINT),),
        features=(SimpleNamespace(name="v", type=kind),),
    )
    with duckdb.connect() as connection:
        connection.execute(f"create table t (id bigint, valid_from timestamp, valid_to timestamp, v {kind})")
        rows = [(5, 7, value), (7, 8, None), (8, 9, None), (9, 99, value)]
        connection.executemany("insert into t select 42, make_timestamp_ms(?), make_timestamp_ms(?), ?", rows)
        query = online_query(view, "t", 6, 9, [None], "fs", sparse=True)
        assert connection.execute(query).fetchall() == [("fs:{42}:v:1111aaaa", f"[[5,[{text}]],[7,[null]]]")]


def test_not_a_number_comes_back_as_itself() -> None:
    ((_, (value,)),) = wire.decode(b'[[5,["NaN"]]]', [types.DOUBLE])
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"", types.BIGINT),
        (b"hello", types.BIGINT),
        (b"{}x", types.BIGINT),
        (b"[1]", types.BIGINT),
        (b"[[5,[1,2]]]", types.BIGINT),
        (b'[[5,["x"]]]', decimal(38, 2)),
        (b'[[5,["x"]]]', types.DOUBLE),
        (b'[[5,["x"]]]', types.DATE),
        (b'[[5,["10000-01-01"]]]', types.DATE),
        (b"[[5,[253402300800000]]]", types.TIMESTAMP),
        (b'[[5,["x"]]]', types.UUID),
        (b"[[5,[5]]]", types.UUID),
        (b"\xff", types.BIGINT),
    ],
)
def test_what_is_no_value_is_a_value_error(value: bytes, kind: SqlType) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wire.decode(value, [kind])


def test_the_last_item_before_the_instant_holds() -> None:
    items = ((10, (1,)), (20, (2,)))
    assert [wire.holding(items, at) for at in (9, 10, 11, 20, 21)] == [None, None, (1,), (1,), (2,)]


def test_a_meta_comes_back_as_it_was() -> None:
    meta = wire.Meta(
        view="v",
        hash="715776b2",
        entity=(("country", types.VARCHAR), ("shop", types.BIGINT)),
        features=(
            wire.FeatureMeta("spend", decimal(38, 2), Decimal("0.00"), 300_000, ("pii",)),
            wire.FeatureMeta("last", types.TIMESTAMP, None, None, ()),
        ),
        as_of=1,
        since=2,
        horizon=5,
        rows=3,
        sparse=True,
        push="0123456789abcdef",
        replaces=None,
        built_at=7,
    )
    assert wire.decode_version(wire.encode_meta(meta)) == meta
    assert wire.decode_meta(wire.encode_meta(meta)) == meta


def test_what_is_said_of_a_push_comes_back_as_it_was() -> None:
    pushing = wire.Pushing("0123456789abcdef", "fsync-1-2")
    assert wire.decode_version(wire.encode_pushing(pushing)) == pushing
    holder = wire.Holder("0123456789abcdef", "fsync-1-2", "process 1 on host", 5)
    assert wire.decode_holder(wire.encode_holder(holder)) == holder
    for value in (b"", b"[]", b"hello", b'{"push": 1}'):
        with pytest.raises(InputError, match="something else"):
            wire.decode_holder(value)


def test_a_meta_of_a_later_format_is_refused() -> None:
    with pytest.raises(InputError, match="pushed in format 2"):
        wire.decode_meta(b'{"wire": 2, "view": "v"}')


@pytest.mark.parametrize("value", [b"", b"[]", b"hello", b'{"wire": 1}', b"\xff", b'{"wire": "1"}'])
def test_what_is_no_meta_is_refused(value: bytes) -> None:
    for decode in (wire.decode_meta, wire.decode_version):
        with pytest.raises(InputError, match="something else"):
            decode(value)
