"""What a read comes to: values with their statuses, one entity at a time or many; and what a meta makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from fsync import wire
from fsync.errors import InputError
from fsync.language.types import BIGINT
from fsync.wire import Key, Meta, ServiceFeature, ServiceMeta, Value

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Status(StrEnum):
    """What a value that was read is worth."""

    OK = "ok"
    #: the feature is at its empty value: nothing happened in its window
    EMPTY = "empty"
    #: older than its freshness SLA and two minutes, or beyond the horizon of the last push
    STALE = "stale"
    #: the view was not pushed, its meta has expired, or it was pushed as of a later instant
    MISSING = "missing"


class Layer(StrEnum):
    """Where a reading comes from."""

    #: read from the online store a moment ago
    CACHE = "cache"
    ONLINE = "online"
    #: the persistent copy, since the online store does not answer
    SNAPSHOT = "snapshot"


@dataclass(slots=True)
class Reading:
    """The features of one entity as of an instant.

    `values` and `status` have the features in the order of the view; both are empty where the view is
    missing altogether. A value whose status is `missing` is None, one that is `stale` is the last known.
    `at` and `as_of` are epoch milliseconds: the instant that was asked for, and the one up to which the
    last push knew all events (None where the view is missing).
    """

    view: str
    key: Key
    at: int
    as_of: int | None
    values: dict[str, Value]
    layer: Layer
    _known: Known = field(repr=False, compare=False)
    _is_known: bool = field(default=True, repr=False, compare=False)

    def __getitem__(self, feature: str) -> Value:
        return self.values[feature]

    @property
    def status(self) -> dict[str, Status]:
        """What each value is worth."""
        if not self._is_known:
            return dict.fromkeys(self.values, Status.MISSING)
        return self._known.status(self.values, self.at)

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all could be read."""
        return not self._is_known or self.as_of is None


@dataclass(frozen=True)
class Batch:
    """The features of several entities from one or several views, as of one instant.

    `readings` has for each view one reading an entity, in the order of `keys`; `metas` what each view's readings
    were read by, None for a view that is missing. Of a service, `service` says which features are asked for.
    """

    keys: tuple[Key, ...]
    readings: Mapping[str, Sequence[Reading]]
    metas: Mapping[str, Meta | None]
    service: ServiceMeta | None = None

    @property
    def features(self) -> tuple[ServiceFeature, ...]:
        """The columns, in order: those of the service, or of the views that are there, one view after another."""
        if self.service is not None:
            return self.service.features
        return tuple(
            ServiceFeature(view, feature.name, feature.type)
            for view, meta in self.metas.items()
            if meta is not None
            for feature in meta.features
        )

    def column(self, feature: ServiceFeature) -> list[Value]:
        """A feature's values, one an entity; None where it is missing."""
        if not self._has(feature):
            return [None] * len(self.keys)
        return [reading.values.get(feature.name) for reading in self.readings[feature.view]]

    def _has(self, feature: ServiceFeature) -> bool:
        """Whether the version of the view that is served has the feature, and of this type."""
        meta = self.metas[feature.view]
        return meta is not None and any((one.name, one.type) == (feature.name, feature.type) for one in meta.features)

    def to_dicts(self) -> list[dict[str, Value]]:
        """One dict of feature and value for each entity, in the order of `features`."""
        names = [feature.name for feature in self.features]
        columns = [self.column(feature) for feature in self.features]
        if not columns:
            return [{} for _ in self.keys]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def statuses(self) -> list[dict[str, Status]]:
        """One dict of feature and status for each entity; what a value is worth, see `Status`."""
        found = {view: [reading.status for reading in readings] for view, readings in self.readings.items()}
        there = [feature for feature in self.features if self._has(feature)]
        missing = dict.fromkeys((feature.name for feature in self.features), Status.MISSING)
        return [
            missing | {feature.name: found[feature.view][row][feature.name] for feature in there}
            for row in range(len(self.keys))
        ]

    def to_arrow(self) -> pa.Table:
        """One column for each feature, of its type (UUIDs are text, timestamps milliseconds without a zone)."""
        import pyarrow as pa

        columns: dict[str, pa.Array] = {}
        for feature in self.features:
            values = self.column(feature)
            if feature.type.name == "uuid":
                values = [None if value is None else str(value) for value in values]
            columns[feature.name] = pa.array(values, _arrow_type(feature.type))
        return pa.table(columns)

    def to_numpy(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """A matrix of DOUBLE, one row an entity and one column a feature, in the order of `features`.

        NULL is NaN, true 1 and false 0.

        Raises:
            InputError: for a feature that is no number and no boolean.
        """
        import numpy as np

        features = self.features
        for feature in features:
            if not (feature.type.is_number or feature.type.name == "boolean"):
                raise InputError(f"{feature.name} is {feature.type}: it has no place in a matrix of numbers")
        matrix = np.full((len(self.keys), len(features)), math.nan)
        for number, feature in enumerate(features):
            for row, value in enumerate(self.column(feature)):
                matrix[row, number] = math.nan if value is None else float(value)
        return matrix


def _arrow_type(kind: Any) -> pa.DataType:
    import pyarrow as pa

    if kind.name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    names = {
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
    }
    return names.get(kind.name, pa.string())


# ---------------------------------------------------------------- what is known of a view


@dataclass(frozen=True)
class Known:
    """A meta as it was read, and what follows from it for every reading."""

    raw: bytes | None
    meta: Meta | None
    names: tuple[str, ...] = ()
    #: what stands around an entity in its key
    before: str = ""
    after: str = ""
    conversions: tuple[wire.Conversion, ...] = ()
    #: the instant after which each feature is stale, and the first of them
    ends: Mapping[str, float] = field(default_factory=dict)
    first_end: float = math.inf
    empty: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: bytes | None, prefix: str) -> Known:
        if raw is None:
            return cls(None, None)
        meta = wire.decode_meta(raw)
        before, after = wire.around_entity(prefix, meta.view, meta.hash)
        ends = {feature.name: min(meta.horizon, _end(meta, feature)) for feature in meta.features}
        return cls(
            raw=raw,
            meta=meta,
            names=tuple(feature.name for feature in meta.features),
            before=before,
            after=after,
            conversions=wire.converters(meta.types),
            ends=ends,
            first_end=min(ends.values(), default=math.inf),
            empty={feature.name: feature.empty for feature in meta.features},
        )

    def keys(self, entities: Sequence[Key]) -> list[str]:
        """The store's keys of entities, none for a view that is missing.

        Raises:
            InputError: for what is none of the view's entities.
        """
        if self.meta is None:
            return []
        before, after, columns = self.before, self.after, self.meta.entity
        is_integer = len(columns) == 1 and columns[0][1] == BIGINT
        return [
            f"{before}{entity if is_integer and type(entity) is int else wire.entity_text(entity, columns)}{after}"
            for entity in entities
        ]

    def typed(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Value]]:
        """Features by name, of rows as JSON has them. Raises ValueError for what are no values of the features."""
        names = self.names
        restored = wire.restore(rows, self.conversions)
        if restored and len(restored[0]) != len(names):
            raise ValueError("not the values of the view's features")
        return [dict(zip(names, row)) for row in restored]  # noqa: B905  # all rows are as long as the first

    def status(self, values: Mapping[str, Value], at: int) -> dict[str, Status]:
        # a feature's values are all of one type, so that equal is the same
        empty = self.empty
        worth = {name: Status.EMPTY if value == empty[name] else Status.OK for name, value in values.items()}
        if at > self.first_end:
            worth |= {name: Status.STALE for name, end in self.ends.items() if at > end}
        return worth

    def readings(
        self,
        view: str,
        keys: Sequence[Key],
        at: int,
        found: Sequence[bytes | None],
        held: Sequence[dict[str, Value] | None],
        layer: Layer,
    ) -> list[Reading]:
        """What the values of entities say: `found` in the store, and `held` as of the instant."""
        meta = self.meta
        if meta is None:
            return [Reading(view, key, at, None, {}, layer, self) for key in keys]
        as_of = meta.as_of
        return [
            Reading(view, key, at, as_of, values, layer, self)
            if values is not None
            else self._reading_of_nothing(view, key, at, meta, value is not None, layer)
            for key, value, values in zip(keys, found, held, strict=True)
        ]

    def reading(
        self, view: str, key: Key, at: int, values: dict[str, Value] | None, is_there: bool, layer: Layer
    ) -> Reading:
        """What an entity's values say: None before its first item, or where it has no key (then it is not there)."""
        assert self.meta is not None
        if values is None:
            return self._reading_of_nothing(view, key, at, self.meta, is_there, layer)
        return Reading(view, key, at, self.meta.as_of, values, layer, self)

    def _reading_of_nothing(self, view: str, key: Key, at: int, meta: Meta, is_there: bool, layer: Layer) -> Reading:
        """What it says that nothing holds as of an instant: empty values, or that they are missing."""
        # of the time before its push a store knows only the row that was valid at it
        if at < meta.since or not (is_there or meta.sparse):
            return Reading(view, key, at, meta.as_of, dict.fromkeys(self.names), layer, self, False)
        return Reading(view, key, at, meta.as_of, dict(self.empty), layer, self)


def _end(meta: Meta, feature: wire.FeatureMeta) -> float:
    """The instant after which a feature is older than its SLA."""
    return math.inf if feature.freshness is None else meta.as_of + feature.freshness + wire.TOLERANCE_MS


NOTHING_KNOWN: Final = Known(None, None)
