"""What differs between features as they are somewhere, and as the specs say they are to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from fsync.deployed import Built, Served
from fsync.language.duration import Duration
from fsync.plan import Plan
from fsync.registry.records import FeatureRecord, feature_records


class Change(StrEnum):
    """What becomes of a feature. Only a cosmetic change leaves every value as it is."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    COSMETIC = "cosmetic"


@dataclass(frozen=True)
class KnownFeature:
    """A feature as it is somewhere. `version` None is not known; `said` is what is known of it, by name."""

    view: str
    version: str | None
    said: Mapping[str, str | None]


@dataclass(frozen=True)
class State:
    """Features as they are somewhere: the hash of every view, and its features by name."""

    where: str
    hashes: Mapping[str, str]
    features: Mapping[str, KnownFeature]


@dataclass(frozen=True)
class Difference:
    """One thing that is said of a feature, before and after."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class FeatureChange:
    """What becomes of one feature. `view` is the one that has it, or had it; `version` is the new one."""

    feature: str
    view: str
    change: Change
    version: str | None
    owner: str | None
    differences: tuple[Difference, ...]


def planned_state(plan: Plan, where: str) -> State:
    """Features as specs say they are."""
    return _of_records(where, {view.name: view.hash for view in plan.views}, feature_records(plan))


def built_state(built: Built, where: str) -> State:
    """Features as the registry in the warehouse says they were when it was built last."""
    hashes = {view: table.hash for view, table in built.tables.items()}
    records = tuple(record for record in built.features.values() if record.view_name in hashes)
    return _of_records(where, hashes, records)


def served_state(served: Served, where: str) -> State:
    """Features as readers of a store know them."""
    features = {
        feature.name: KnownFeature(
            meta.view,
            feature.version,
            {
                "data_type": str(feature.type),
                "freshness": None if feature.freshness is None else str(Duration(feature.freshness)),
                "classification": ", ".join(feature.classification),
            },
        )
        for meta in served.metas.values()
        for feature in meta.features
    }
    return State(where, {view: meta.hash for view, meta in served.metas.items()}, features)


def _of_records(where: str, hashes: Mapping[str, str], records: tuple[FeatureRecord, ...]) -> State:
    features = {}
    for record in records:
        said = asdict(record)
        name, view, version = said.pop("feature"), said["view_name"], said.pop("version")
        features[name] = KnownFeature(view, version, said)
    return State(where, hashes, features)


def feature_changes(before: State, after: State) -> tuple[FeatureChange, ...]:
    """Every feature that is another one than before, or of which something else is said; by view and name."""
    found = _changes(before, after)
    return tuple(sorted(found, key=lambda change: (change.view, change.feature)))


def _changes(before: State, after: State) -> Iterator[FeatureChange]:
    for name in before.features.keys() | after.features.keys():
        old, new = before.features.get(name), after.features.get(name)
        known = new or old
        assert known is not None  # it is in one of them
        if new is None:
            change = Change.REMOVED
        elif old is None:
            change = Change.ADDED
        elif _is_another(old, new, before, after):
            change = Change.CHANGED
        else:
            change = Change.COSMETIC
        differences = () if old is None or new is None else tuple(_differences(old, new))
        if change is not Change.COSMETIC or differences:
            version = None if new is None else new.version
            yield FeatureChange(name, known.view, change, version, known.said.get("owner"), differences)


def _is_another(old: KnownFeature, new: KnownFeature, before: State, after: State) -> bool:
    """Whether the values can differ; where no version is known, whether the view is another one."""
    if old.version is None or new.version is None:
        return before.hashes.get(old.view) != after.hashes.get(new.view)
    return old.version != new.version


def _differences(old: KnownFeature, new: KnownFeature) -> Iterator[Difference]:
    for what, after in new.said.items():
        if what in old.said and old.said[what] != after:
            yield Difference(what, old.said[what], after)
