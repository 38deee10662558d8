"""The online contract: every key and every byte of a value is decided here, for writers and readers alike.

    fs:{42}:user_lifetime:715776b2   →   [[869961600000,[3,"26.55"]],[870048000000,[1,"38.32"]]]
    fs:view:user_lifetime            →   the view's meta, one JSON object

A value is a JSON text: one item for each change, with the instant it holds from (exclusive, in epoch
milliseconds) and the features in the order of the meta. The first item is the row that was valid at the
push, the others are the changes that are known to come before the push's horizon. As of t the last item
with `from < t` holds; without one, and without a key, the empty values of the meta hold.

In JSON, BIGINT and DOUBLE are numbers, BOOLEAN true or false, VARCHAR text, DECIMAL text ("38.32", every
digit), TIMESTAMP epoch milliseconds, DATE "1998-07-01", UUID text; of DOUBLE, "NaN", "Infinity" and
"-Infinity" are texts. NULL is null.

It knows no store, and loads nothing outside the standard library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from fsync.errors import InputError
from fsync.instant import to_datetime, to_milliseconds
from fsync.language.types import SqlType, parse_type

PREFIX: Final = "fs"
#: Of the format of keys, values and meta. A reader refuses a later one.
VERSION: Final = 1
#: How much later than its freshness SLA a value may be before it is stale.
TOLERANCE_MS: Final = 120_000

#: A feature's value in Python: int, float, Decimal, bool, str, date, datetime, UUID or None.
Value = Any
#: One entity: its value, or a tuple of them for an entity of several columns.
Key = Any
#: A change: the instant it holds from (exclusive), and the features from then on.
Item = tuple[int, Sequence[Value]]

_NOT_A_NUMBER: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Status(StrEnum):
    """What a value that was read is worth."""

    OK = "ok"
    #: the feature is at its empty value: nothing happened in its window
    EMPTY = "empty"
    #: older than its freshness SLA and two minutes, or beyond the horizon of the last push
    STALE = "stale"
    #: the view was not pushed, its meta has expired, or it was pushed as of a later instant
    MISSING = "missing"


@dataclass(frozen=True)
class FeatureMeta:
    """What a reader knows of a feature. `freshness` is in milliseconds."""

    name: str
    type: SqlType
    empty: Value
    freshness: int | None
    classification: tuple[str, ...]


@dataclass(frozen=True)
class Meta:
    """What a reader knows of a view. Instants are epoch milliseconds of data time.

    The keys answer for the instants from `since` to `horizon`, knowing the events up to `as_of`. `since` is
    `as_of`, except while a push is under way (or was cut off): then all three hold for old and new keys alike.
    """

    view: str
    hash: str
    entity: tuple[tuple[str, SqlType], ...]
    features: tuple[FeatureMeta, ...]
    as_of: int
    since: int
    horizon: int
    #: how many entities have a key
    rows: int
    #: whether an entity at its empty values has no key
    sparse: bool

    @property
    def empty(self) -> tuple[Value, ...]:
        return tuple(feature.empty for feature in self.features)


# ---------------------------------------------------------------- keys


def meta_key(prefix: str, view: str) -> str:
    return f"{prefix}:view:{view}"


def entity_key(prefix: str, meta_hash: str, view: str, entity: str) -> str:
    """The key of one entity's values; `entity` comes from `entity_text`.

    The braces are Redis Cluster's hash tag: all views of one entity live in one slot.
    """
    return f"{prefix}:{{{entity}}}:{view}:{meta_hash}"


def view_of_key(prefix: str, key: str) -> tuple[str, str] | None:
    """The (view, hash) that a key belongs to; None when it is no key of an entity."""
    head = f"{prefix}:{{"
    if not key.startswith(head):
        return None
    _, closed, rest = key[len(head) :].partition("}:")
    view, found, meta_hash = rest.rpartition(":")
    return (view, meta_hash) if closed and found else None


def entity_text(key: Key, columns: Sequence[tuple[str, SqlType]]) -> str:
    """How an entity is written in keys: its values joined by `|`, each escaped so that none can forge another.

    A key of several columns is a tuple, or a text in this form already, in which `%7C` is a bar in a value
    and `%25` a percent.

    Raises:
        InputError: when the key does not have the columns, or a value is not of its column's type.
    """
    if isinstance(key, str) and len(columns) > 1:
        key = tuple(_unescaped(part) for part in key.split("|"))
    values = key if isinstance(key, tuple | list) else (key,)
    if len(values) != len(columns):
        names = ", ".join(name for name, _ in columns)
        raise InputError(f"the entity has {len(columns)} columns ({names}), and the key {len(values)}")
    return "|".join(_escaped(_canonical(value, *column)) for value, column in zip(values, columns, strict=True))


def _unescaped(text: str) -> str:
    if re.search(r"%(?!25|7[Cc])", text):
        raise InputError(f"{text!r}: write a percent in a key as %25, and a bar as %7C")
    return re.sub("%7c", "|", text, flags=re.IGNORECASE).replace("%25", "%")


def _canonical(value: Value, name: str, kind: SqlType) -> str:
    """The one text of an entity value: 42 and "42" are the same integer, but not the same text."""
    try:
        if kind.name == "bigint" and isinstance(value, int | str) and not isinstance(value, bool):
            return str(int(value))
        if kind.name == "varchar" and isinstance(value, str):
            value.encode()  # a lone surrogate is no text
            return value
        if kind.name == "uuid" and isinstance(value, UUID | str):
            return str(UUID(str(value)))
        if kind.name == "date" and isinstance(value, date | str) and not isinstance(value, datetime):
            return (date.fromisoformat(value) if isinstance(value, str) else value).isoformat()
    except (ValueError, UnicodeEncodeError):
        pass
    raise InputError(f"{value!r} is not a value of the entity column {name}, which is {kind}")


def _escaped(text: str) -> str:
    if not text:
        return "%"  # an empty hash tag would scatter an entity over the cluster
    return "".join(
        f"%{ord(letter):02X}" if letter in "%|{}" or ord(letter) < 0x20 or ord(letter) == 0x7F else letter
        for letter in text
    )


# ---------------------------------------------------------------- values


def encode(items: Iterable[Item], types: Sequence[SqlType]) -> bytes:
    """The value of a key. Items come in the order of time; one that changes nothing is left out."""
    written: list[list[Any]] = []
    for instant, values in items:
        plain = [_to_json(value, kind) for value, kind in zip(values, types, strict=True)]
        if not written or written[-1][1] != plain:
            written.append([instant, plain])
    return _dumps(written)


def decode(value: bytes, types: Sequence[SqlType]) -> tuple[Item, ...]:
    """The items of a key's value, in the order of time."""
    return tuple(
        (instant, tuple(_from_json(plain, kind) for plain, kind in zip(values, types, strict=True)))
        for instant, values in json.loads(value)
    )


def holding(items: Sequence[Item], at: int) -> Sequence[Value] | None:
    """The values that hold as of `at`; None before the first item."""
    return next((values for instant, values in reversed(items) if instant < at), None)


def is_empty(items: Iterable[Item], empty: Sequence[Value]) -> bool:
    """Whether an entity is at its empty values all the way, so that it needs no key."""
    return all(same(values, empty) for _, values in items)


def same(left: Sequence[Value], right: Sequence[Value]) -> bool:
    return all(_same(one, other) for one, other in zip(left, right, strict=True))


def _same(one: Value, other: Value) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _to_json(value: Value, kind: SqlType) -> Any:
    if value is None:
        return None
    if kind.name == "decimal":
        return format(value, "f")
    if kind.name == "double":
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if kind.name == "timestamp":
        return to_milliseconds(value)
    if kind.name in ("date", "uuid"):
        return str(value)
    return value


def _from_json(plain: Any, kind: SqlType) -> Value:
    if plain is None:
        return None
    if kind.name == "decimal":
        return Decimal(plain)
    if kind.name == "double":
        return _NOT_A_NUMBER[plain] if isinstance(plain, str) else float(plain)
    if kind.name == "timestamp":
        return to_datetime(plain)
    if kind.name == "date":
        return date.fromisoformat(plain)
    return UUID(plain) if kind.name == "uuid" else plain


def _dumps(value: object) -> bytes:
    # ASCII escapes nothing that a person reads; surrogates cannot come from a warehouse
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


# ---------------------------------------------------------------- meta


def encode_meta(meta: Meta) -> bytes:
    return _dumps(
        {
            "wire": VERSION,
            "view": meta.view,
            "hash": meta.hash,
            "entity": [{"name": name, "type": str(kind)} for name, kind in meta.entity],
            "features": [
                {
                    "name": feature.name,
                    "type": str(feature.type),
                    "empty": _to_json(feature.empty, feature.type),
                    "freshness": feature.freshness,
                    "classification": list(feature.classification),
                }
                for feature in meta.features
            ],
            "as_of": meta.as_of,
            "since": meta.since,
            "horizon": meta.horizon,
            "rows": meta.rows,
            "sparse": meta.sparse,
        }
    )


def decode_meta(value: bytes) -> Meta:
    """The meta that a push wrote.

    Raises:
        InputError: when a later version of fsync wrote it, or something else did.
    """
    try:
        plain: Mapping[str, Any] = json.loads(value)
        if plain["wire"] > VERSION:
            raise InputError(
                f"view {plain['view']} was pushed in format {plain['wire']}, and this reader knows {VERSION}",
                "upgrade fsync where it reads",
            )
        return _meta(plain)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            "the store holds something else where the meta of the view should be",
            "does another application use the same prefix?",
        ) from error


def _meta(plain: Mapping[str, Any]) -> Meta:
    return Meta(
        view=plain["view"],
        hash=plain["hash"],
        entity=tuple((column["name"], _type(column["type"])) for column in plain["entity"]),
        features=tuple(_feature(feature) for feature in plain["features"]),
        as_of=plain["as_of"],
        since=plain["since"],
        horizon=plain["horizon"],
        rows=plain["rows"],
        sparse=plain["sparse"],
    )


def _feature(plain: Mapping[str, Any]) -> FeatureMeta:
    kind = _type(plain["type"])
    return FeatureMeta(
        name=plain["name"],
        type=kind,
        empty=_from_json(plain["empty"], kind),
        freshness=plain["freshness"],
        classification=tuple(plain["classification"]),
    )


def _type(text: str) -> SqlType:
    kind = parse_type(text)
    if kind is None:
        raise InputError(f"the meta names a type that this reader does not know: {text}")
    return kind
