"""What a team asks of its features beyond that they compile: one check a file, listed in `GOVERNANCE`.

What a check weighs, a project decides (`vars.fsync.checks` in its dbt_project.yml). An error stops what was asked for,
a warning does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from fsync.check.governance.backfills import backfills_are_documented
from fsync.check.governance.classes import features_are_classed
from fsync.check.governance.deprecation import services_read_what_stays
from fsync.check.governance.descriptions import features_are_described
from fsync.check.governance.duplicates import meanings_differ
from fsync.check.governance.freshness import freshness_is_promised, freshness_is_watched
from fsync.check.governance.names import names_follow_the_template
from fsync.check.governance.owners import owners_are_known
from fsync.language.suggest import did_you_mean
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue
from fsync.spec.policy import Weight


@dataclass(frozen=True)
class Check:
    """A governance check: the code of what it finds, what it asks for, and its weight where a project says nothing."""

    code: str
    asks: str
    weight: Weight
    find: Callable[[Catalog], Iterable[Issue]]


GOVERNANCE: Final[tuple[Check, ...]] = (
    Check("unknown-owner", "owners are among those of vars.fsync.owners", "error", owners_are_known),
    Check("missing-classification", "features say whether they are pii", "warning", features_are_classed),
    Check("missing-freshness", "features promise how fresh they are", "warning", freshness_is_promised),
    Check("unwatched-freshness", "what is promised to be fresh is watched", "warning", freshness_is_watched),
    Check(
        "missing-backfill",
        "features of services say from when on they can be trusted",
        "error",
        backfills_are_documented,
    ),
    Check("missing-description", "features and services say what they are", "warning", features_are_described),
    Check("feature-name", "names of features follow vars.fsync.name_template", "warning", names_follow_the_template),
    Check("duplicate-feature", "no two features mean the same", "warning", meanings_differ),
    Check("deprecated-feature", "new services read no deprecated features", "error", services_read_what_stays),
)


def govern(catalog: Catalog) -> tuple[Issue, ...]:
    """What the checks find in a catalog that compiles, each with the weight that the project gives it."""
    return tuple(_found(catalog))


def _found(catalog: Catalog) -> Iterator[Issue]:
    for check in GOVERNANCE:
        weight = catalog.policy.weights.get(check.code, check.weight)
        if weight != "off":
            yield from (replace(issue, severity=weight) for issue in check.find(catalog))


def weights_are_known(catalog: Catalog) -> Iterator[Issue]:
    """`unknown-check`: the checks that a project weighs exist."""
    codes = [check.code for check in GOVERNANCE]
    written = catalog.policy.written
    for code in catalog.policy.weights:
        if code not in codes and written is not None:
            place = written.document.key_place((*written.path("checks"), code))
            notes = did_you_mean(code, codes) or (f"there are: {', '.join(codes)}",)
            yield Issue("unknown-check", f"there is no check {code!r}", place, notes)
