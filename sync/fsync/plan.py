"""Catalog to plan: views, the inputs and frames they need, types and hashes. No SQL text yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlglot import exp

from fsync.check.expressions import feature_types
from fsync.check.meanings import feature_meanings
from fsync.check.names import IS_EVENT, RESERVED, STEPS, is_plain
from fsync.errors import InputError
from fsync.language.canonical import canonical
from fsync.language.duration import Duration
from fsync.language.portable import typed
from fsync.language.suggest import did_you_mean
from fsync.language.transformations.count import COUNT
from fsync.language.types import SqlType
from fsync.lineage.features import upstream_of
from fsync.meaning import default_literal, feature_version, view_hash
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Call, Feature
from fsync.spec.monitors import Monitors
from fsync.spec.policy import Access
from fsync.spec.source import Column, Source
from fsync.spec.training_set import TrainingSet


@dataclass(frozen=True)
class Input:
    """A column of the events that features aggregate. `value` None stands for the event itself.

    With a `scale`, a DOUBLE is cut to so many digits after the point, and exact from there on.
    """

    name: str
    value: exp.Expr | None
    where: exp.Expr | None
    scale: int | None


@dataclass(frozen=True)
class Planned:
    """A feature of a view. Either `call` and `input` are set, or `derived` is."""

    name: str
    type: SqlType
    #: of its value: another one for another meaning, whatever the view's other features are
    version: str
    feature: Feature
    call: Call | None
    input: str | None
    #: its `where` in canonical form, in which conditions that mean the same read the same; empty for none
    condition: str
    #: whether it is made of what enters and leaves its window, rather than over a frame: for exact numbers alone
    is_running: bool
    #: a derived feature's expression over the view's other features, derived ones put in place
    derived: exp.Expr | None
    default: exp.Expr | None
    #: what is watched of it, by its spec and the project
    monitors: Monitors

    @property
    def is_never_null(self) -> bool:
        """Whether the value is there even for an empty window."""
        return self.feature.is_zero_when_empty or self.default is not None


@dataclass(frozen=True, eq=False)
class View:
    """A feature view: one dbt model, one scan of its source. Equal to itself alone.

    `features` are in the order of their names: the order of the table's columns and of the values online.
    """

    name: str
    hash: str
    entity: tuple[Column, ...]
    source: Source
    event_time: Column
    inputs: tuple[Input, ...]
    #: the granularity; None for exact
    every: Duration | None
    #: every window that a feature looks back on, shortest first
    windows: tuple[Duration, ...]
    features: tuple[Planned, ...]
    #: the classes of values that its entity is of
    entity_classes: frozenset[str]

    @property
    def entity_types(self) -> tuple[tuple[str, SqlType], ...]:
        """The columns of the entity with their types, which the checks have seen to."""
        return tuple((column.name, column.type) for column in self.entity if column.type is not None)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of values that it holds, in its features or as its entity."""
        return self.entity_classes.union(*(planned.feature.classification for planned in self.features))

    @property
    def needs_order(self) -> bool:
        """Whether a value depends on the order of events, so that those of one instant need one."""
        return any(planned.feature.is_ordered for planned in self.features)

    @property
    def frames(self) -> tuple[Duration, ...]:
        """The windows that a frame is run over, shortest first."""
        framed = {p.call.window for p in self.features if p.call is not None and not p.is_running}
        return tuple(window for window in self.windows if window in framed)

    def made_of(self, planned: Planned) -> tuple[Planned, ...]:
        """The features that are made of events themselves: it, or those that it is derived from."""
        if planned.derived is None:
            return (planned,)
        named = {column.name for column in planned.derived.find_all(exp.Column)}
        return tuple(one for one in self.features if one.name in named)

    def reads(self, name: str, *, is_running: bool) -> bool:
        """Whether a feature of one kind or the other reads an input."""
        return any(planned.input == name and planned.is_running == is_running for planned in self.features)

    @property
    def needs_lifetime(self) -> bool:
        """Whether a value depends on events of any age."""
        return any(planned.call is not None and planned.call.window is None for planned in self.features)


@dataclass(frozen=True)
class Member:
    """A feature of a service, and the view that has it."""

    view: View
    planned: Planned


@dataclass(frozen=True)
class PlannedService:
    """A feature service: the features that one model reads, in its order."""

    name: str
    owner: str
    description: str | None
    members: tuple[Member, ...]
    since: date | None = None
    external: tuple[str, ...] = ()
    training_set: TrainingSet | None = None
    #: where its spec stands: file and line
    place: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its features, in the order of the model's inputs."""
        return tuple(member.planned.name for member in self.members)

    @property
    def views(self) -> tuple[View, ...]:
        """The views that its features are of, each once."""
        return tuple({member.view.name: member.view for member in self.members}.values())


@dataclass(frozen=True)
class Plan:
    """Views and services in the order of their names."""

    views: tuple[View, ...]
    services: tuple[PlannedService, ...] = ()
    #: who may read what, and which stores may hold it
    access: Access = field(default_factory=Access)

    def members(self, features: Sequence[str]) -> tuple[Member, ...]:
        """Features by name, with their views, in the order given.

        Raises:
            InputError: for a name that no feature has, or one that is given twice.
        """
        known = {planned.name: Member(view, planned) for view in self.views for planned in view.features}
        for name in features:
            if name not in known:
                near = did_you_mean(name, known)
                raise InputError(f"there is no feature {name!r}", near[0] if near else None)
            if features.count(name) > 1:
                raise InputError(f"the feature {name!r} is asked for twice")
        return tuple(known[name] for name in features)

    def services_of(self, views: Sequence[View]) -> tuple[PlannedService, ...]:
        """The services that have a feature of one of these views."""
        names = {view.name for view in views}
        return tuple(service for service in self.services if names & {view.name for view in service.views})

    def service(self, name: str) -> PlannedService:
        """The service of this name; raises InputError where there is none."""
        services = {service.name: service for service in self.services}
        if name not in services:
            near = did_you_mean(name, services)
            there = f"there are: {', '.join(services)}" if services else "each is a file in feature_specs/services/"
            raise InputError(f"there is no service {name!r}", near[0] if near else there)
        return services[name]

    def chosen(self, names: Sequence[str]) -> tuple[View, ...]:
        """The views of these names, each once; all of them for no name.

        Raises:
            InputError: for a name that no view has.
        """
        views = {view.name: view for view in self.views}
        for name in names:
            if name not in views:
                near = did_you_mean(name, views)
                raise InputError(f"there is no view {name!r}", near[0] if near else f"there are: {', '.join(views)}")
        return tuple(views[name] for name in dict.fromkeys(names or views))


def make_plan(catalog: Catalog) -> Plan:
    """Plan a catalog that has passed every check."""
    types = feature_types(catalog)
    views = Plan(tuple(_view(name, of_view, catalog, types) for name, of_view in sorted(catalog.by_view().items())))
    services = (
        PlannedService(
            service.name,
            service.owner,
            service.description,
            views.members(service.features),
            service.since,
            service.external,
            None if service.training_set is None else TrainingSet(service.training_set),
            str(service.written.place("name")),
        )
        for service in sorted(catalog.services, key=lambda service: service.name)
    )
    return replace(views, services=tuple(services), access=catalog.policy.access)


def _view(name: str, of_view: list[Feature], catalog: Catalog, types: Mapping[str, SqlType]) -> View:
    features = sorted(of_view, key=lambda feature: feature.name)
    source = catalog.sources[features[0].source]
    assert source.event_time is not None  # the check `sources_have_event_time`
    meant = feature_meanings(catalog)
    entity = tuple(source.columns[column] for column in features[0].entity)
    keys = {feature.name: _input_key(feature, feature.call) for feature in features if feature.call is not None}
    inputs = _inputs(features, keys, {*(column.name for column in entity), *(f.name for f in features)})
    expressions = {feature.name: feature for feature in features}
    planned = tuple(
        Planned(
            name=feature.name,
            type=types[feature.name],
            version=feature_version(feature, features, source, meant),
            feature=feature,
            call=feature.call,
            input=inputs[keys[feature.name]].name if feature.name in keys else None,
            condition=keys[feature.name][1] if feature.name in keys else "",
            is_running=_is_running(feature),
            derived=None if feature.call is not None else _inlined(feature, expressions, types),
            default=default_literal(feature, types[feature.name]),
            monitors=catalog.policy.monitors_of(feature),
        )
        for feature in features
    )
    windows = {feature.call.window for feature in features if feature.call is not None and feature.call.window}
    return View(
        name=name,
        hash=view_hash(features, source, meant),
        entity=entity,
        source=source,
        event_time=source.columns[source.event_time.lower()],
        inputs=tuple(sorted(set(inputs.values()), key=lambda column: column.name)),
        every=features[0].every,
        windows=tuple(sorted(windows)),
        features=planned,
        entity_classes=frozenset(
            name for column in entity for name in upstream_of(catalog).classes((source.name, column.name))
        ),
    )


def _is_running(feature: Feature) -> bool:
    """Whether a feature is made of what enters and leaves, which is exact for exact numbers alone."""
    call = feature.call
    if call is None or not call.transformation.can_run(call.reach):
        return False
    if call.transformation is COUNT or feature.scale is not None:
        return True
    noted = typed(call.column) if call.column is not None else None
    return noted is not None and noted.gives.is_exact_number


# ---------------------------------------------------------------- inputs

_InputKey = tuple[str, str, int | None]


def _input_key(feature: Feature, call: Call) -> _InputKey:
    column = "" if call.column is None else canonical(call.column)
    return column, "" if feature.where is None else canonical(feature.where.node), feature.scale


def moved(name: str) -> str:
    """The column with the values of an input not only where events enter, but also where they leave."""
    return f"moved_{name}"


def _inputs(features: Iterable[Feature], keys: Mapping[str, _InputKey], taken: set[str]) -> Mapping[_InputKey, Input]:
    """One input for features that read the same thing, named after the column where that says it all."""
    inputs: dict[_InputKey, Input] = {}
    taken = {*taken, *RESERVED, *STEPS}
    for feature in features:
        if feature.call is None or (key := keys[feature.name]) in inputs:
            continue
        value, where = feature.call.column, None if feature.where is None else feature.where.node
        if value is None and where is None:
            inputs[key] = Input(IS_EVENT, None, None, None)
            continue
        is_bare = isinstance(value, exp.Column) and where is None and feature.scale is None
        plain = value.name.lower() if is_bare and value is not None else None
        name = plain if plain is not None and is_plain(plain) and plain not in taken else f"input_{feature.name}"
        while {name, moved(name)} & taken:
            name += "_"
        taken |= {name, moved(name)}
        inputs[key] = Input(name, value, where, feature.scale)
    return inputs


# ---------------------------------------------------------------- derived features


def _inlined(feature: Feature, features: Mapping[str, Feature], types: Mapping[str, SqlType]) -> exp.Expr:
    """A derived expression in which every derived feature it names is replaced by its own expression."""

    def replace(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        other = features[node.name.lower()]
        if other.call is not None:
            return exp.column(other.name)
        inner: exp.Expr = exp.Paren(this=_inlined(other, features, types))
        default = default_literal(other, types[other.name])
        return inner if default is None else exp.Coalesce(this=inner, expressions=[default])

    return feature.expression.node.copy().transform(replace)
