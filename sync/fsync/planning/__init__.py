"""What a build and a push of the specs would change, against what is deployed or against a commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from fsync import git
from fsync.compile import plan_project
from fsync.deployed import Build, Built, Served, built_in, served
from fsync.errors import InputError, SpecErrors
from fsync.instant import to_text
from fsync.plan import Plan, View
from fsync.planning.changes import (
    Change,
    FeatureChange,
    State,
    built_state,
    feature_changes,
    planned_state,
    served_state,
)
from fsync.planning.sample import ENTITIES, Sample, sampled
from fsync.spec.project import Project, open_project
from fsync.store import public_url
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile

#: changes after which somebody reads other values
OF_VALUES = frozenset({Change.ADDED, Change.CHANGED, Change.REMOVED})


@dataclass(frozen=True)
class ViewChange:
    """What becomes of one view. A hash is None where the view is not.

    `rows` and `seconds` are what building it anew is thought to come to, None where nothing is known to go by or
    nothing is to be built. `built` is the hash of the table that stands, `served` the one that readers get now.
    `shares` has by feature how many of the values of `entities` differ, from 0 to 1.
    """

    view: str
    before: str | None
    after: str | None
    built: str | None
    served: str | None
    rows: int | None
    seconds: float | None
    entities: int
    shares: Mapping[str, float]
    problem: str | None

    @property
    def is_built_anew(self) -> bool:
        return self.after is not None and self.after != self.built


@dataclass(frozen=True)
class ChangeReport:
    """What changes. `against` says what it was compared with, `problems` what could not be looked at."""

    against: str
    features: tuple[FeatureChange, ...]
    views: tuple[ViewChange, ...]
    #: those that read a feature whose values change, or which they can no longer read
    services: tuple[str, ...]
    #: who answers for features that change, and for the services that read them
    owners: tuple[str, ...]
    problems: tuple[str, ...]

    def count(self, change: Change) -> int:
        return sum(found.change is change for found in self.features)

    @property
    def changes_values(self) -> bool:
        return any(found.change in OF_VALUES for found in self.features)


def plan_changes(
    project: Project,
    online: str,
    prefix: str,
    *,
    target: str | None = None,
    ref: str | None = None,
    sample: int = ENTITIES,
) -> ChangeReport:
    """Compare the specs with what is deployed: with the registry in the warehouse, or where none is built with what the
    store serves; with a `ref`, with the specs of that commit, branch or tag.

    Args:
        online: the URL of the store.
        sample: how many entities' histories are computed to see how much changes; 0 for none.

    Raises:
        SpecErrors, InputError: for the specs of now; for a `ref` that is none, or whose specs have faults.
    """
    plan = plan_project(project)
    with ExitStack() as opened:
        warehouse, problem = _warehouse(project, target, opened)
        stands = Built({}, {}, problem=problem) if warehouse is None else built_in(warehouse)
        before_views = {*stands.tables, *(view.name for view in plan.views)}
        serves = served(sorted(before_views), online, prefix)
        before = _before(project, stands, serves, ref, online)
        changes = feature_changes(before, planned_state(plan, "the specs"))
        views = tuple(_view_changes(plan, before, stands, serves, changes, warehouse, project, sample))
    values = {found.feature for found in changes if found.change in OF_VALUES}
    services = _services(plan, values)
    return ChangeReport(
        against=before.where,
        features=changes,
        views=views,
        services=tuple(sorted(services)),
        owners=tuple(sorted({*(found.owner for found in changes if found.owner), *services.values()})),
        problems=tuple(found for found in (stands.problem, serves.problem) if found is not None),
    )


def _warehouse(project: Project, target: str | None, opened: ExitStack) -> tuple[Warehouse | None, str | None]:
    """The warehouse, or why there is none: a plan can be made without it. One that is locked is told as an error."""
    try:
        return opened.enter_context(Warehouse(read_profile(project, target))), None
    except InputError as error:  # none is built, or the profile names none
        return None, str(error)


def _before(project: Project, stands: Built, serves: Served, ref: str | None, online: str) -> State:
    if ref is not None:
        return _at_commit(project, ref)
    if stands.features:
        newest = max(table.built_at for table in stands.tables.values())
        return built_state(stands, f"what was built until {to_text(newest)}")
    if serves.metas:
        return served_state(serves, f"what {public_url(online)} serves")
    return State("nothing: neither built nor pushed", {view: table.hash for view, table in stands.tables.items()}, {})


def _at_commit(project: Project, ref: str) -> State:
    with TemporaryDirectory(prefix="fsync-plan-") as folder:
        root = git.unpack(project.root, ref, Path(folder))
        try:
            return planned_state(plan_project(open_project(root)), ref)
        except SpecErrors as error:
            raise InputError(f"the specs of {ref} have faults of their own:\n{error}") from error


def _services(plan: Plan, features: Collection[str]) -> Mapping[str, str]:
    """The owners of services that read a feature, by their names."""
    return {service.name: service.owner for service in plan.services if set(service.features) & set(features)}


# ---------------------------------------------------------------- views


def _view_changes(
    plan: Plan,
    before: State,
    stands: Built,
    serves: Served,
    changes: tuple[FeatureChange, ...],
    warehouse: Warehouse | None,
    project: Project,
    sample: int,
) -> Iterator[ViewChange]:
    views = {view.name: view for view in plan.views}
    for name in sorted(views.keys() | before.hashes.keys()):
        view = views.get(name)
        old, new = before.hashes.get(name), None if view is None else view.hash
        meta = serves.metas.get(name)
        if old == new and (meta is None or meta.hash == new):
            continue
        changed = [found.feature for found in changes if found.view == name and found.change is Change.CHANGED]
        table = stands.tables.get(name)
        # a table of another version than is compared with says nothing of what changes
        if view is None or warehouse is None or table is None or old == new or table.hash != old or not sample:
            looked = Sample(0, 0, 0, {})
        else:
            looked = sampled(view, table, changed, warehouse, project, sample)
        is_built = table is not None and table.hash == new
        rows, seconds = (None, None) if view is None or is_built else _cost(view, stands, looked)
        yield ViewChange(
            view=name,
            before=old,
            after=new,
            built=None if table is None else table.hash,
            served=None if meta is None else meta.hash,
            rows=rows,
            seconds=seconds,
            entities=looked.entities,
            shares=looked.shares,
            problem=looked.problem,
        )


def _cost(view: View, stands: Built, looked: Sample) -> tuple[int | None, float | None]:
    """The rows and seconds of building a view anew, going by the sample and the last builds."""
    of_view = [build for build in stands.builds if build.view == view.name]
    whole = next((build for build in of_view if not build.is_incremental), None)
    rows = looked.rows or (whole.rows if whole is not None else None)
    events = next((build.events for build in of_view), None) or _events_of_source(view, stands)
    rate = _seconds_an_event([whole] if whole is not None else stands.builds)
    return rows, None if rate is None or events is None else round(rate * events, 3)


def _events_of_source(view: View, stands: Built) -> int | None:
    """How many events the source of a view has, by a table that was built of it."""
    others = {record.view_name for record in stands.features.values() if record.source == view.source.name}
    return next((table.events for name, table in stands.tables.items() if name in others), None)


def _seconds_an_event(builds: Iterable[Build]) -> float | None:
    known = [
        build.seconds / build.events for build in builds if build.seconds and build.events and not build.is_incremental
    ]
    return median(known) if known else None
