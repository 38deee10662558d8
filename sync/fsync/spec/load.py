"""Files of `feature_specs/` to features and services, with every fault of their form at once."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from fsync.language.duration import Duration, parse_duration
from fsync.language.expression import Fault
from fsync.spec.document import Document, Path, Written, not_utf8, read
from fsync.spec.feature import Feature, FeatureSpec
from fsync.spec.form import SERVICE, faults_of_form, faults_of_texts
from fsync.spec.issue import Issue, Place
from fsync.spec.project import SERVICES, Project
from fsync.spec.service import Service, ServiceSpec
from fsync.spec.transformation import read_scalar, read_transformation

#: what one kind of file holds
Spec = TypeVar("Spec", Feature, Service)


@dataclass(frozen=True)
class Unread:
    """The name of a feature whose spec has a fault."""

    name: str


def load_features(project: Project) -> tuple[tuple[Feature, ...], tuple[Issue, ...], frozenset[str]]:
    """Every feature below `feature_specs/`, in the order of file names; the faults of their form; the names of others.

    Those are the features that have faults.
    """
    services = project.specs / SERVICES
    files = (path for path in _files(project.specs) if not path.is_relative_to(services))
    unread: set[str] = set()

    def load(document: Document) -> Iterator[Feature | Issue]:
        for found in _in_document(document):
            if isinstance(found, Unread):
                unread.add(found.name)
            else:
                yield found

    features, issues = _loaded(files, project, load)
    return features, issues, frozenset(unread)


def load_services(project: Project) -> tuple[tuple[Service, ...], tuple[Issue, ...]]:
    """Every service in `feature_specs/services/`, in the order of file names; and the faults of their form."""
    return _loaded(_files(project.specs / SERVICES), project, _service)


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def _loaded(
    files: Iterable[pathlib.Path], project: Project, load: Callable[[Document], Iterable[Spec | Issue]]
) -> tuple[tuple[Spec, ...], tuple[Issue, ...]]:
    specs: list[Spec] = []
    issues: list[Issue] = []
    for path in files:
        file = project.relative(path)
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            issues.append(not_utf8(file, error))
            continue
        except OSError as error:
            issues.append(Issue("bad-yaml", f"this file cannot be read: {error.strerror}", Place(file, 1, 1, 1, "")))
            continue
        document, faults = read(file, text)
        issues += faults
        for found in load(document) if document is not None else ():
            if isinstance(found, Issue):
                issues.append(found)
            else:
                specs.append(found)
    return tuple(specs), tuple(issues)


def _service(document: Document) -> Iterator[Service | Issue]:
    top = document.value
    if top is None:
        yield Issue("missing-key", "this file holds no service", document.place(()))
        return
    if not isinstance(top, Mapping):
        yield Issue("wrong-type", "a service is a mapping of keys to values", document.place(()))
        return
    written = Written(document, (), {})
    if faults := tuple(faults_of_texts(top, written)):
        yield from faults
        return
    try:
        spec = ServiceSpec.model_validate(top)
    except ValidationError as error:
        yield from faults_of_form(error, top, written, SERVICE)
        return
    yield Service(
        name=spec.name,
        owner=spec.owner,
        features=tuple(spec.features),
        description=spec.description,
        since=spec.since,
        external=tuple(spec.external or ()),
        training_set=spec.training_set,
        written=written,
    )


def _in_document(document: Document) -> Iterator[Feature | Issue | Unread]:
    top = document.value
    if top is None:
        yield Issue("missing-key", "this file holds no feature", document.place(()))
    elif not isinstance(top, Mapping):
        yield Issue("wrong-type", "a feature spec is a mapping of keys to values", document.place(()))
    elif "features" not in top and "defaults" not in top:
        nested = tuple(_under_names(document, top))
        yield from nested or _feature(document, (), top, {})
    else:
        yield from _collection(document, top)


def _under_names(document: Document, top: Mapping[str, Any]) -> Iterator[Issue]:
    """Features that stand under their names, as other tools have it; nothing unless the whole file is so."""
    if not all(isinstance(node, Mapping) and not node.keys().isdisjoint(_OF_FEATURES) for node in top.values()):
        return
    for key in map(str, top):
        mend = f"its name is a key of it, beside the others: name: {key}"
        yield Issue(
            "wrong-type", f"a feature does not stand under its name, {key!r}", document.key_place((key,)), (mend,)
        )


_OF_FEATURES: Final = ("entity", "source", "transformation")


def _collection(document: Document, top: Mapping[str, Any]) -> Iterator[Feature | Issue | Unread]:
    """A file with `defaults:` and `features:`."""
    for key in top:
        if key not in ("defaults", "features"):
            message = f"beside 'features', only 'defaults' stands here, not {key!r}"
            mend = "what every feature shares goes under 'defaults'"
            yield Issue("unknown-key", message, document.key_place((str(key),)), (mend,))
    defaults = top.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        mend = "without '-': defaults: {owner: growth-ml}"
        yield Issue("wrong-type", "'defaults' is a mapping of keys to values", document.place(("defaults",)), (mend,))
        return  # what features have, nobody can tell
    if "features" not in top:
        mend = "or a feature that stands alone in its file, without 'defaults'"
        message = "'defaults' are of features, and there is no list 'features' beside them"
        yield Issue("missing-key", message, document.key_place(("defaults",)), (mend,))
        return
    features = top["features"]
    if not isinstance(features, list) or not features:
        notes = ("each begins with '- name: …'",)
        yield Issue("wrong-type", "'features' is a list of features", document.place(("features",)), notes)
        return
    for index, node in enumerate(features):
        base: Path = ("features", index)
        if not isinstance(node, Mapping):
            yield Issue("wrong-type", "a feature is a mapping of keys to values", document.place(base))
            continue
        yield from _feature(document, base, node, defaults)


def _feature(
    document: Document, base: Path, node: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[Feature | Issue | Unread]:
    inherited: dict[str, Path] = {str(key): ("defaults", str(key)) for key in defaults if key not in node}
    written = Written(document, base, inherited)
    merged = {**defaults, **node}
    found = tuple(_read(merged, written))
    yield from found
    if any(isinstance(one, Issue) for one in found):
        yield Unread(str(merged.get("name")))


def _read(merged: Mapping[str, Any], written: Written) -> Iterator[Feature | Issue]:
    if faults := tuple(faults_of_texts(merged, written)):
        yield from faults
        return
    try:
        spec = FeatureSpec.model_validate(merged)
    except ValidationError as error:
        yield from faults_of_form(error, merged, written)
        return
    yield from _understood(spec, written)


def _understood(spec: FeatureSpec, written: Written) -> Iterator[Feature | Issue]:
    """From the form to the meaning: parse its SQL."""
    transformation = read_transformation(spec.transformation)
    where = None if spec.where is None else read_scalar(spec.where)
    faults = list(_located(transformation.faults, "transformation", written))
    faults += _located(where.faults, "where", written) if where is not None else ()
    if faults or transformation.scalar is None:
        yield from faults
        return
    sla = spec.sla
    every, ttl = _duration(spec.every), _duration(spec.ttl)
    call = transformation.call
    if call is not None and call.reach == "latest":
        call = replace(call, window=ttl)
    entity = (spec.entity,) if isinstance(spec.entity, str) else tuple(spec.entity)
    classes = {*(spec.classification or ()), *(("pii",) if spec.pii else ())}
    yield Feature(
        name=spec.name,
        entity=tuple(name.lower() for name in entity),
        source=spec.source,
        view=spec.view or derived_view(entity, spec.source, every),
        owner=spec.owner,
        expression=transformation.scalar,
        call=call,
        where=None if where is None else where.scalar,
        every=every,
        ttl=ttl,
        scale=spec.scale,
        engines=tuple(spec.engines or ()),
        default=spec.default,
        description=spec.description,
        freshness=_duration(sla.freshness) if sla else None,
        availability=sla.availability if sla else None,
        monitors=spec.monitors,
        classification=tuple(sorted(classes)),
        declassify=spec.declassify,
        tags=tuple(sorted(set(spec.tags or ()))),
        backfill=spec.backfill,
        deprecated=spec.deprecated,
        written=written,
    )


def _duration(text: str | None) -> Duration | None:
    return None if text is None else parse_duration(text)


def derived_view(entity: tuple[str, ...], source: str, every: Duration | None) -> str:
    """The view of features that name none: `user_id__orders_stream`, `user_id__orders_stream__1h`."""
    grain = "" if every is None else f"__{every}"
    joined = f"{'_'.join(entity)}__{source}{grain}".lower()
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in joined)


def _located(faults: tuple[Fault, ...], key: str, written: Written) -> Iterator[Issue]:
    for fault in faults:
        place = written.within(key, fault.start, fault.end)
        behind = place.text[place.column - 1 + place.width :]
        mend = "' #' begins a comment in YAML: put the whole text in quotes"
        is_cut = fault.code == "unparsable-sql" and behind.lstrip().startswith("#")
        yield Issue(fault.code, fault.message, place, (*fault.notes, mend) if is_cut else fault.notes)
