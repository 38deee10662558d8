"""Files of `feature_specs/` to features, with every fault of their form at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fsync.language.duration import HOW_TO_WRITE, parse_duration
from fsync.language.expression import Fault
from fsync.spec.document import Document, Path, read
from fsync.spec.feature import HOW_TO_NAME, NOT_YET, Feature, FeatureSpec, Written
from fsync.spec.issue import Issue, did_you_mean
from fsync.spec.project import Project
from fsync.spec.transformation import read_scalar, read_transformation

_KEYS: Final = tuple(field.alias or name for name, field in FeatureSpec.model_fields.items())

_EXPECTED: Final = {
    "entity": "a column name or a list of column names",
    "default": "a number, a text, true or false",
    "pii": "true or false",
    "classification": "a list of: pii, pci",
    "tags": "a list of texts",
    "sla": "a mapping with freshness and availability",
    "backfill": "a mapping with from (a date) and note",
    "from": "a date such as 1997-01-01",
}

_EXAMPLES: Final = {
    "name": "what it is called: name: user_30d_spend",
    "entity": "whose value it is, a column of the source: entity: user_id",
    "source": "the dbt model or source it reads: source: orders_stream",
    "transformation": "what it computes: transformation: window_sum(amount, 30d)",
    "owner": "who answers for it: owner: growth-ml",
}


def load_features(project: Project) -> tuple[tuple[Feature, ...], tuple[Issue, ...]]:
    """Every feature below `feature_specs/`, in the order of file names; and the faults of their form."""
    features: list[Feature] = []
    issues: list[Issue] = []
    for path in sorted([*project.specs.rglob("*.yml"), *project.specs.rglob("*.yaml")]):
        file = project.relative(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            document, _ = read(file, "")
            assert document is not None  # an empty text is an empty document
            issues.append(Issue("bad-yaml", f"this file cannot be read: {error}", document.place(())))
            continue
        document, faults = read(file, text)
        issues += faults
        if document is not None:
            for found in _in_document(document):
                (features if isinstance(found, Feature) else issues).append(found)  # type: ignore[arg-type]  # one list or the other
    return tuple(features), tuple(issues)


def _in_document(document: Document) -> Iterator[Feature | Issue]:
    top = document.value
    if top is None:
        yield Issue("missing-key", "this file holds no feature", document.place(()))
    elif not isinstance(top, Mapping):
        yield Issue("wrong-type", "a feature spec is a mapping of keys to values", document.place(()))
    elif "features" not in top and "defaults" not in top:
        yield from _feature(document, (), top, {})
    else:
        yield from _collection(document, top)


def _collection(document: Document, top: Mapping[str, Any]) -> Iterator[Feature | Issue]:
    """A file with `defaults:` and `features:`."""
    for key in top:
        if key not in ("defaults", "features"):
            message = f"beside 'features', only 'defaults' stands here, not {key!r}"
            mend = "what every feature shares goes under 'defaults'"
            yield Issue("unknown-key", message, document.key_place((str(key),)), (mend,))
    defaults = top.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        yield Issue("wrong-type", "'defaults' is a mapping of keys to values", document.place(("defaults",)))
        defaults = {}
    features = top.get("features")
    if not isinstance(features, list) or not features:
        yield Issue("wrong-type", "'features' is a list of features", document.place(("features",)))
        return
    for index, node in enumerate(features):
        base: Path = ("features", index)
        if not isinstance(node, Mapping):
            yield Issue("wrong-type", "a feature is a mapping of keys to values", document.place(base))
            continue
        yield from _feature(document, base, node, defaults)


def _feature(
    document: Document, base: Path, node: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[Feature | Issue]:
    inherited: dict[str, Path] = {str(key): ("defaults", str(key)) for key in defaults if key not in node}
    written = Written(document, base, inherited)
    merged = {**defaults, **node}
    try:
        spec = FeatureSpec.model_validate(merged)
    except ValidationError as error:
        # a union reports one error for each of its members: one for each key says enough
        seen: dict[tuple[object, ...], Issue] = {}
        for details in error.errors(include_url=False):
            location = details["loc"]
            is_union = location[0] in ("entity", "default")
            seen.setdefault(location[:1] if is_union else location, _issue(details, merged, written))
        yield from seen.values()
        return
    yield from _understood(spec, written)


def _issue(details: ErrorDetails, merged: Mapping[str, Any], written: Written) -> Issue:
    """pydantic's error as ours."""
    location, kind = details["loc"], details["type"]
    top = str(location[0])
    # a union's location goes on with the name of one of its members, a list's with an index
    key = str(location[1]) if top in ("sla", "backfill") and len(location) > 1 else top
    path = (*written.path(top), *location[1:])
    subject = f"feature {merged['name']!r}" if isinstance(merged.get("name"), str) else "this feature"
    document = written.document
    if kind == "missing":
        missing = str(location[-1])
        if len(location) > 1:
            return Issue("missing-key", f"{top!r} needs {missing!r}", document.place(written.path(top)))
        place = document.place((*written.base, "name"))
        return Issue("missing-key", f"{subject} has no {missing!r}", place, (_EXAMPLES[missing],))
    if kind == "extra_forbidden":
        unknown = str(location[-1])
        if len(location) == 1 and unknown in NOT_YET:
            message = f"{unknown!r} is part of the spec language, but this version cannot compile it yet"
            return Issue("not-yet", message, document.key_place(path))
        known = _KEYS if len(location) == 1 else ("freshness", "availability", "from", "note")
        notes = did_you_mean(unknown, known) or (f"there are: {', '.join(_KEYS)}",)
        if unknown.endswith(")"):  # the rest of a call, cut at its comma
            notes = ("between { and } a comma ends a value: put the text in quotes",)
        return Issue("unknown-key", f"a feature has no key {unknown!r}", document.key_place(path), notes)
    place = document.place(path)
    if kind == "string_pattern_mismatch":
        return Issue("bad-name", f"{details['input']!r} cannot be a {top}", place, (HOW_TO_NAME,))
    if kind == "value_error":
        message = str(details["msg"]).removeprefix("Value error, ")
        if "freshness" in location:
            return Issue("bad-duration", message, place, (HOW_TO_WRITE,))
        return Issue("bad-value", message, place)
    if kind == "string_too_short":
        return Issue("bad-value", f"{key!r} is empty", place)
    expected = _EXPECTED.get(key, "a text")
    return Issue("wrong-type", f"{key!r} must be {expected}, and is {_describe(details['input'])}", place)


def _describe(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 40 else "a text"
    return f"the {'number' if isinstance(value, int | float) else type(value).__name__} {value}"


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
    entity = (spec.entity,) if isinstance(spec.entity, str) else tuple(spec.entity)
    classes = {*(spec.classification or ()), *(("pii",) if spec.pii else ())}
    yield Feature(
        name=spec.name,
        entity=tuple(name.lower() for name in entity),
        source=spec.source,
        view=spec.view or derived_view(entity, spec.source),
        owner=spec.owner,
        expression=transformation.scalar,
        call=transformation.call,
        where=None if where is None else where.scalar,
        default=spec.default,
        description=spec.description,
        freshness=parse_duration(sla.freshness) if sla and sla.freshness else None,
        availability=sla.availability if sla else None,
        classification=tuple(sorted(classes)),
        tags=tuple(sorted(set(spec.tags or ()))),
        backfill=spec.backfill,
        written=written,
    )


def derived_view(entity: tuple[str, ...], source: str) -> str:
    """The view of features that name none: `user_id__orders_stream`."""
    joined = f"{'_'.join(entity)}__{source}".lower()
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in joined)


def _located(faults: tuple[Fault, ...], key: str, written: Written) -> Iterator[Issue]:
    for fault in faults:
        yield Issue(fault.code, fault.message, written.within(key, fault.start, fault.end), fault.notes)
