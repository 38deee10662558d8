"""What a catalog must satisfy before anything is planned: one rule a file, listed in `RULES`.

A rule is a function from the catalog to issues. It reports what it alone looks at, and passes over
what another rule already reports, so that one slip gives one error. What a team asks for beyond that is in
`governance/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from fsync.check.baselines import baselines_exist
from fsync.check.defaults import defaults_fit
from fsync.check.entities import entities_exist
from fsync.check.exposure import exposures_are_classed
from fsync.check.expressions import expressions_are_typed
from fsync.check.governance import weights_are_known
from fsync.check.grains import grains_fit
from fsync.check.names import names_are_free
from fsync.check.replacements import replacements_exist
from fsync.check.services import services_are_whole
from fsync.check.sources import sources_have_event_time
from fsync.check.ties import ties_can_be_broken
from fsync.check.views import views_agree
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue

Rule = Callable[[Catalog], Iterable[Issue]]

RULES: Final[tuple[Rule, ...]] = (
    names_are_free,
    sources_have_event_time,
    entities_exist,
    views_agree,
    expressions_are_typed,
    grains_fit,
    defaults_fit,
    ties_can_be_broken,
    services_are_whole,
    replacements_exist,
    baselines_exist,
    weights_are_known,
    exposures_are_classed,
)


def check(catalog: Catalog) -> tuple[Issue, ...]:
    """Every fault that the rules find, rule by rule."""
    return tuple(issue for rule in RULES for issue in rule(catalog))
