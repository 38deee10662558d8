"""Vectors of feature services: their order, types and statuses, and what becomes of them when definitions change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from fsync import wire
from fsync.errors import InputError
from fsync.language import types
from fsync.language.types import SqlType, decimal
from fsync.lookup import Lookup
from fsync.read import AsyncReader, Batch, Layer, Reader, Status
from fsync.store import Store

DAY = 86_400_000
MONEY = decimal(38, 2)
USER, SHOP = ("user_id", types.BIGINT), ("shop", types.VARCHAR)


def put_view(
    store: Store,
    prefix: str,
    view: str,
    entity: tuple[tuple[str, SqlType], ...],
    features: dict[str, tuple[SqlType, Any]],
    values: dict[str, str],
) -> None:
    meta = wire.Meta(
        view=view,
        hash="1111aaaa",
        entity=entity,
        features=tuple(wire.FeatureMeta(name, kind, empty, None, ()) for name, (kind, empty) in features.items()),
        as_of=10 * DAY,
        since=10 * DAY,
        horizon=12 * DAY,
        rows=1,
        sparse=True,
        push=view,
        replaces=None,
    )
    entries = {wire.entity_key(prefix, meta.hash, view, key): f"[[5,[{value}]]]" for key, value in values.items()}
    put(store, {**entries, wire.meta_key(prefix, view): wire.encode_meta(meta).decode()})


def put_service(store: Store, prefix: str, *features: tuple[str, str, SqlType], **entities: tuple[str, ...]) -> None:
    service = wire.ServiceMeta("model", "tests", tuple(wire.ServiceFeature(*feature) for feature in features), entities)
    put(store, {wire.service_key(prefix, "model"): wire.encode_service(service).decode()})


def put(store: Store, entries: dict[str, str]) -> None:
    store.write(pa.array(entries, pa.string()), pa.array(entries.values(), pa.string()), DAY)


@pytest.fixture
def views(store: Store, prefix: str) -> Store:
    spend = {"spend": (MONEY, Decimal("0.00")), "orders": (types.BIGINT, 0)}
    put_view(store, prefix, "spending", (USER,), spend, {"1": '"5.00",2', "2": '"7.00",1'})
    put_view(store, prefix, "membership", (USER,), {"is_member": (types.BOOLEAN, None)}, {"1": "true"})
    put_view(store, prefix, "visits", (USER, SHOP), {"visits": (types.BIGINT, 0)}, {"1|a%7Cb": "3"})
    return store


ALL_OF_USER = (
    ("spending", "orders", types.BIGINT),
    ("membership", "is_member", types.BOOLEAN),
    ("spending", "spend", MONEY),
)


def vectors(url: str, prefix: str, keys: Sequence[Any], at: int = 11 * DAY) -> list[Batch]:
    """The same vectors, in a thread and in an event loop."""

    async def awaited() -> Batch:
        async with AsyncReader(url, prefix=prefix) as reader:
            return await reader.read_service("model", keys, at=at)

    with Reader(url, prefix=prefix) as reader:
        return [reader.read_service("model", keys, at=at), asyncio.run(awaited())]


def test_a_vector_has_the_order_and_types_of_the_service(views: Store, store_url: str, prefix: str) -> None:
    put_service(views, prefix, *ALL_OF_USER, spending=("user_id",), membership=("user_id",))
    for batch in vectors(store_url, prefix, [1, 7]):
        assert [list(row.items()) for row in batch.to_dicts()] == [
            [("orders", 2), ("is_member", True), ("spend", Decimal("5.00"))],
            [("orders", 0), ("is_member", None), ("spend", Decimal("0.00"))],
        ]
        assert batch.statuses()[0] == dict.fromkeys(("orders", "is_member", "spend"), Status.OK)
        assert batch.statuses()[1] == dict.fromkeys(("orders", "is_member", "spend"), Status.EMPTY)
        assert batch.to_arrow().schema == pa.schema(
            [("orders", pa.int64()), ("is_member", pa.bool_()), ("spend", pa.decimal128(38, 2))]
        )
        assert batch.to_numpy()[0].tolist() == [2.0, 1.0, 5.0]


def test_a_vector_keeps_its_shape_while_a_view_is_missing(views: Store, store_url: str, prefix: str) -> None:
    put_service(views, prefix, *ALL_OF_USER, spending=("user_id",), membership=("user_id",))
    views.delete(pa.array([wire.meta_key(prefix, "membership")]))
    for batch in vectors(store_url, prefix, [1]):
        assert batch.to_dicts() == [{"orders": 2, "is_member": None, "spend": Decimal("5.00")}]
        assert batch.statuses()[0]["is_member"] is Status.MISSING
        assert batch.to_arrow().schema.names == ["orders", "is_member", "spend"]
        assert batch.to_numpy().shape == (1, 3)
    for batch in vectors(store_url, prefix, [1], at=9 * DAY):
        assert set(batch.statuses()[0].values()) <= {Status.MISSING, Status.OK}


def test_views_of_different_entities_take_mappings(views: Store, store_url: str, prefix: str) -> None:
    features = (("visits", "visits", types.BIGINT), ("spending", "orders", types.BIGINT))
    put_service(views, prefix, *features, visits=("user_id", "shop"), spending=("user_id",))
    for batch in vectors(store_url, prefix, [{"user_id": 1, "shop": "a|b"}, {"shop": "c", "user_id": 2}]):
        assert batch.to_dicts() == [{"visits": 3, "orders": 2}, {"visits": 0, "orders": 1}]
    with Reader(store_url, prefix=prefix) as reader:
        for key in (1, {"user_id": 1}, "1|a"):
            with pytest.raises(InputError, match=r"has user_id and shop, and not "):
                reader.read_service("model", [key])


def test_a_service_that_was_not_pushed_is_named(store_url: str, prefix: str) -> None:
    with Reader(store_url, prefix=prefix) as reader, pytest.raises(InputError, match="service model was not pushed"):
        reader.read_service("model", [1])


def test_another_definition_is_seen_with_the_next_read(views: Store, store_url: str, prefix: str) -> None:
    put_service(views, prefix, *ALL_OF_USER, spending=("user_id",), membership=("user_id",))
    with Reader(store_url, prefix=prefix) as reader:
        assert list(reader.read_service("model", [1]).to_dicts()[0]) == ["orders", "is_member", "spend"]
        put_service(views, prefix, ("spending", "spend", MONEY), spending=("user_id",))
        assert reader.read_service("model", [1], at=11 * DAY).to_dicts() == [{"spend": Decimal("5.00")}]
        views.delete(pa.array([wire.service_key(prefix, "model")]))
        with pytest.raises(InputError, match="was not pushed"):
            reader.read_service("model", [1])


def test_what_no_push_wrote_is_no_service(views: Store, store_url: str, prefix: str) -> None:
    for text, why in (
        ("hello", "something else"),
        ('{"wire":1}', "something else"),
        ('{"wire":9,"name":"model"}', "format 9"),
    ):
        put(views, {wire.service_key(prefix, "model"): text})
        with Reader(store_url, prefix=prefix) as reader, pytest.raises(InputError, match=why):
            reader.read_service("model", [1])


def test_a_feature_of_another_type_is_missing(views: Store, store_url: str, prefix: str) -> None:
    """A version of the view that was rolled back to has a sum where the service has a mean."""
    features = (
        ("spending", "spend", types.DOUBLE),
        ("spending", "orders", types.BIGINT),
        ("spending", "new", types.BIGINT),
    )
    put_service(views, prefix, *features, spending=("user_id",))
    for batch in vectors(store_url, prefix, [1]):
        assert batch.to_dicts() == [{"spend": None, "orders": 2, "new": None}]
        assert list(batch.statuses()[0].values()) == [Status.MISSING, Status.OK, Status.MISSING]
        assert batch.to_arrow().schema.types == [pa.float64(), pa.int64(), pa.int64()]


def test_readers_that_see_another_definition_at_once(views: Store, prefix: str) -> None:
    put_service(views, prefix, *ALL_OF_USER, spending=("user_id",), membership=("user_id",))
    lookup = Lookup(Layer.ONLINE, prefix, views.reads_at_once)

    def driven(asking: Any, wanted: Any) -> Batch:
        try:
            while True:
                wanted = asking.send(views.get(wanted))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    first = lookup.ask_service("model", [1], 11 * DAY, 11 * DAY)
    driven(first, next(first))
    two = [lookup.ask_service("model", [1], 11 * DAY, 11 * DAY) for _ in range(2)]
    wanted = [next(asking) for asking in two]
    put_service(views, prefix, ("spending", "spend", MONEY), spending=("user_id",))
    for asking, keys in zip(two, wanted, strict=True):
        assert driven(asking, keys).to_dicts() == [{"spend": Decimal("5.00")}]


def test_one_round_trip_once_it_is_known(views: Store, prefix: str) -> None:
    put_service(views, prefix, *ALL_OF_USER, spending=("user_id",), membership=("user_id",))
    reads: list[int] = []

    class Counted:
        def get(self, keys: list[str]) -> list[bytes | None]:
            reads.append(len(keys))
            return views.get(keys)

        def __getattr__(self, name: str) -> Any:
            return getattr(views, name)

    counted: Any = Counted()
    reader = Reader(counted, prefix=prefix)
    reader.read_service("model", [1])
    before = len(reads)
    reader.read_service("model", [1, 2])
    assert len(reads) - before == (1 if views.reads_at_once else 2)
