"""The meta of a view: all that a reader needs to know to read its keys, as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from fsync.errors import InputError
from fsync.language.types import SqlType, parse_type
from fsync.wire.values import Value, from_json, to_json

T = TypeVar("T")

#: Of the format of keys, values and meta. A reader refuses a later one.
VERSION: Final = 1


@dataclass(frozen=True)
class FeatureMeta:
    """What a reader knows of a feature. `freshness` is in milliseconds.

    `version` is that of its value; None where an fsync pushed it that knew none.
    """

    name: str
    type: SqlType
    empty: Value
    freshness: int | None
    classification: tuple[str, ...]
    version: str | None = None


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
    #: the push that wrote it; no two have the same
    push: str
    #: the hash of the version that was served before it, where there was one
    replaces: str | None
    #: when the build of the table began that its values are of; None where an fsync pushed it that did not say
    built_at: int | None = None

    @cached_property
    def types(self) -> tuple[SqlType, ...]:
        return tuple(feature.type for feature in self.features)

    @cached_property
    def empty(self) -> tuple[Value, ...]:
        return tuple(feature.empty for feature in self.features)


def encode_meta(meta: Meta) -> bytes:
    return dumps(
        {
            "wire": VERSION,
            "view": meta.view,
            "hash": meta.hash,
            "entity": [{"name": name, "type": str(kind)} for name, kind in meta.entity],
            "features": [
                {
                    "name": feature.name,
                    "type": str(feature.type),
                    "empty": to_json(feature.empty, feature.type),
                    "freshness": feature.freshness,
                    "classification": list(feature.classification),
                    "version": feature.version,
                }
                for feature in meta.features
            ],
            "as_of": meta.as_of,
            "since": meta.since,
            "horizon": meta.horizon,
            "rows": meta.rows,
            "sparse": meta.sparse,
            "push": meta.push,
            "replaces": meta.replaces,
            "built_at": meta.built_at,
        }
    )


def decode_meta(value: bytes) -> Meta:
    """The meta that a push wrote.

    Raises:
        InputError: when a later version of fsync wrote it, or something else did.
    """
    return decoded(value, lambda plain: f"view {plain['view']}", "the meta of the view", _meta)


def decoded(
    value: bytes, name: Callable[[Mapping[str, Any]], str], what: str, read: Callable[[Mapping[str, Any]], T]
) -> T:
    """A JSON object that a push wrote, read if its format is one that this reader knows.

    Raises:
        InputError: when a later version of fsync wrote it, or something else did.
    """
    try:
        plain: Mapping[str, Any] = json.loads(value)
        if plain["wire"] > VERSION:
            raise InputError(
                f"{name(plain)} was pushed in format {plain['wire']}, and this reader knows {VERSION}",
                "upgrade fsync where it reads",
            )
        return read(plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"the store holds something else where {what} should be",
            "does another application use the same prefix?",
        ) from error


def _meta(plain: Mapping[str, Any]) -> Meta:
    return Meta(
        view=plain["view"],
        hash=plain["hash"],
        entity=tuple((column["name"], read_type(column["type"])) for column in plain["entity"]),
        features=tuple(_feature(feature) for feature in plain["features"]),
        as_of=plain["as_of"],
        since=plain["since"],
        horizon=plain["horizon"],
        rows=plain["rows"],
        sparse=plain["sparse"],
        push=plain["push"],
        replaces=plain["replaces"],
        built_at=plain.get("built_at"),
    )


def _feature(plain: Mapping[str, Any]) -> FeatureMeta:
    kind = read_type(plain["type"])
    return FeatureMeta(
        name=plain["name"],
        type=kind,
        empty=from_json(plain["empty"], kind),
        freshness=plain["freshness"],
        classification=tuple(plain["classification"]),
        version=plain.get("version"),
    )


def read_type(text: str) -> SqlType:
    """A type as metas write it. Raises ValueError for what is none."""
    kind = parse_type(text)
    if kind is None:
        raise InputError(f"the meta names a type that this reader does not know: {text}")
    return kind


# ---------------------------------------------------------------- versions and pushes


@dataclass(frozen=True)
class Pushing:
    """That a push of a version is under way, or was cut off: what its keys hold is not known.

    `client` is what the connections of the pusher are called.
    """

    push: str
    client: str


def encode_pushing(pushing: Pushing) -> bytes:
    return dumps({"pushing": pushing.push, "client": pushing.client})


def decode_version(value: bytes) -> Meta | Pushing:
    """What the store says of one version of a view; see `Pushing`.

    Raises:
        InputError: when a later version of fsync wrote it, or something else did.
    """
    try:
        plain = json.loads(value)
        if isinstance(plain, dict) and "pushing" in plain:
            return Pushing(plain["pushing"], plain["client"])
    except (ValueError, KeyError):
        pass
    return decode_meta(value)


@dataclass(frozen=True)
class Holder:
    """Who has the lease of a view: `since` is in epoch milliseconds of their wall clock."""

    push: str
    client: str
    who: str
    since: int


def encode_holder(holder: Holder) -> bytes:
    return dumps({"push": holder.push, "client": holder.client, "who": holder.who, "since": holder.since})


def decode_holder(value: bytes) -> Holder:
    """Raises InputError for what no push wrote."""
    try:
        plain = json.loads(value)
        return Holder(plain["push"], plain["client"], plain["who"], plain["since"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("the store holds something else where the lease of the view should be") from error


def dumps(value: object) -> bytes:
    """A JSON object as pushes write it."""
    # ASCII escapes nothing that a person reads; surrogates cannot come from a warehouse
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
