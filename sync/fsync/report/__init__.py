"""How well a team does with its features: what comes from here, what is built once instead of twice, what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsync.check.governance.duplicates import duplicates
from fsync.deployed import Build, Built
from fsync.plan import Plan
from fsync.report.compliance import OwnerCompliance, compliance
from fsync.spec.catalog import Catalog
from fsync.spec.exposure import Exposure


@dataclass(frozen=True)
class ModelCoverage:
    """One model: how many of the features that it reads come from here, and how many from elsewhere.

    `unknown` are features that it says come from here, and that no spec defines. A model that says nothing of what it
    reads is not told (`is_told`), and counts nowhere.
    """

    model: str
    owner: str
    kind: str
    features: int
    external: int
    unknown: tuple[str, ...]
    is_told: bool

    @property
    def share(self) -> float | None:
        """From 0 to 1; None for a model that reads nothing, as far as it says."""
        every = self.features + self.external
        return self.features / every if every else None


@dataclass(frozen=True)
class Report:
    """The metrics of a project. Instants are epoch milliseconds, shares go from 0 to 1.

    `duplicates` are features that mean the same as one before them, each with that one. `avoided` is how many
    pipelines were not built, because a model reads a feature that another one reads too: for each feature, the models
    that read it but the first.
    """

    since: int
    until: int
    models: tuple[ModelCoverage, ...]
    duplicates: tuple[tuple[str, str], ...]
    avoided: int
    owners: tuple[OwnerCompliance, ...]
    #: why the history could not be looked at
    problem: str | None

    @property
    def coverage(self) -> float | None:
        """The share of all models' features that come from here; None where no model says what it reads."""
        here = sum(model.features for model in self.models)
        every = here + sum(model.external for model in self.models)
        return here / every if every else None


def report(catalog: Catalog, plan: Plan, exposures: Sequence[Exposure], built: Built, since: int, until: int) -> Report:
    """Make the report of a catalog that passes its checks.

    Args:
        exposures: the models that dbt's YAML tells of beside services.
        built: what the warehouse holds; its builds are the history.
        since, until: the period that freshness is looked at in.
    """
    names = {planned.name for view in plan.views for planned in view.features}
    return Report(
        since=since,
        until=until,
        models=tuple(_models(plan, exposures, names)),
        duplicates=tuple((later.name, first.name) for later, first in duplicates(catalog)),
        avoided=_avoided(plan, exposures, names),
        owners=compliance(plan, _in_time(built.builds, until), since, until),
        problem=built.problem,
    )


def _models(plan: Plan, exposures: Sequence[Exposure], names: set[str]) -> list[ModelCoverage]:
    services = [
        ModelCoverage(service.name, service.owner, "service", len(service.members), len(service.external), (), True)
        for service in plan.services
    ]
    by_hand = [
        ModelCoverage(
            model=exposure.name,
            owner=exposure.owner,
            kind="exposure",
            features=len(names & set(exposure.features)),
            external=len(exposure.external),
            unknown=tuple(sorted(set(exposure.features) - names)),
            is_told=exposure.is_told,
        )
        for exposure in exposures
    ]
    return sorted([*services, *by_hand], key=lambda model: model.model)


def _avoided(plan: Plan, exposures: Sequence[Exposure], names: set[str]) -> int:
    readers = dict.fromkeys(names, 0)
    reads = [*(service.features for service in plan.services), *(exposure.features for exposure in exposures)]
    for features in reads:
        for name in set(features):
            if name in readers:
                readers[name] += 1
    return sum(max(0, number - 1) for number in readers.values())


def _in_time(builds: Sequence[Build], until: int) -> list[Build]:
    return [build for build in builds if build.built_at <= until]
