"""Whether values were as fresh as their owners promise, going by the builds of their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fsync.deployed import Build
from fsync.plan import Plan
from fsync.wire import TOLERANCE_MS


@dataclass(frozen=True)
class FeatureCompliance:
    """One promise: how much of the time, from 0 to 1, a value was no older than `freshness` milliseconds.

    `share` is None for a view that was not built until the end of the period. `late` are the longest milliseconds that
    it was older in a row.
    """

    feature: str
    view: str
    freshness: int
    share: float | None
    late: int


@dataclass(frozen=True)
class OwnerCompliance:
    """An owner's promises. `share` is the mean over those features of which there is something to say."""

    owner: str
    features: tuple[FeatureCompliance, ...]
    #: features that promise no freshness
    without: int

    @property
    def share(self) -> float | None:
        known = [feature.share for feature in self.features if feature.share is not None]
        return sum(known) / len(known) if known else None


def compliance(plan: Plan, builds: Iterable[Build], since: int, until: int) -> tuple[OwnerCompliance, ...]:
    """Every owner's promises over a period, in epoch milliseconds; owners by name.

    At an instant a value is as old as the start of the last build before it. It may be two minutes older than is
    promised, as a reader's status allows. Time before the first build of a view does not count.
    """
    built: dict[str, list[int]] = {}
    for build in builds:
        built.setdefault(build.view, []).append(build.built_at)
    owners: dict[str, list[FeatureCompliance]] = {}
    without: dict[str, int] = {}
    known: dict[tuple[str, int], tuple[float | None, int]] = {}
    for view in plan.views:
        for planned in view.features:
            owner, promised = planned.feature.owner, planned.feature.freshness
            features = owners.setdefault(owner, [])
            if promised is None:
                without[owner] = without.get(owner, 0) + 1
                continue
            key = (view.name, promised.milliseconds)
            if key not in known:
                known[key] = fresh_share(built.get(view.name, ()), promised.milliseconds, since, until)
            share, late = known[key]
            features.append(FeatureCompliance(planned.name, view.name, promised.milliseconds, share, late))
    return tuple(_of(owner, features, without) for owner, features in sorted(owners.items()))


def _of(owner: str, features: Sequence[FeatureCompliance], without: Mapping[str, int]) -> OwnerCompliance:
    return OwnerCompliance(owner, tuple(sorted(features, key=lambda one: one.feature)), without.get(owner, 0))


def fresh_share(built: Iterable[int], freshness: int, since: int, until: int) -> tuple[float | None, int]:
    """How much of a period values were fresh, from 0 to 1, and the longest time in a row, in it, that they were not.

    Args:
        built: the instants at which builds began, in any order.
    """
    instants = sorted({instant for instant in built if instant < until})
    if not instants:
        return None, 0
    start = max(since, instants[0])
    allowed = freshness + TOLERANCE_MS
    # values of one build are read until the next one, and late from the moment that they are too old
    late = [
        following - max(instant + allowed, start)
        for instant, following in pairwise([*instants, until])
        if following > max(instant + allowed, start)
    ]
    return 1 - sum(late) / (until - start), max(late, default=0)
