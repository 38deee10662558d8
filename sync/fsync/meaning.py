"""What a feature means, whatever it is called, whoever owns it and however it is spelled.

Features of one meaning are duplicates, and the hash of a view is made of what its features mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.language.canonical import normal, text
from fsync.language.portable import Columns, columns_of
from fsync.language.term import Term, read_term
from fsync.language.transformations.avg import AVG
from fsync.language.transformations.count import COUNT
from fsync.language.transformations.last import LAST
from fsync.language.transformations.latest import LATEST
from fsync.language.transformations.median import MEDIAN
from fsync.language.transformations.percentile import PERCENTILE
from fsync.language.transformations.sum import SUM
from fsync.language.types import DATE, DOUBLE, TIMESTAMP, SqlType
from fsync.spec.feature import Call, Feature
from fsync.spec.source import Source

Types = Mapping[str, SqlType]

#: Part of every hash: raised when the compiler gives the same specs another meaning.
SEMANTICS: Final = 1


def meanings(view: Iterable[Feature], source: Source, types: Types) -> Mapping[str, str]:
    """The meaning of every feature of a view, by its name: equal texts are equal values at every instant.

    Args:
        view: all features of one view, of a catalog that has passed the checks.
        source: what they read. It is not part of the text, and neither are the entity and the granularity.
        types: of the features.
    """
    return {name: f"{types[name]} {text(term)}" for name, term in _terms(view, source, types).items()}


def _terms(view: Iterable[Feature], source: Source, types: Types) -> Mapping[str, Term]:
    features = {feature.name: feature for feature in view}
    columns = {name: column.type for name, column in source.columns.items()}
    found: dict[str, Term] = {}

    def term(name: str) -> Term:
        if name not in found:
            feature = features[name]
            if feature.call is not None:
                body = _called(feature, feature.call, columns)
            else:  # every feature that it names, replaced by what that one means
                node = feature.expression.node
                body = read_term(node, types, {other: term(other) for other in columns_of(node)})
            found[name] = normal(_with_default(body, feature, types))
        return found[name]

    return {name: term(name) for name in features}


def _called(feature: Feature, call: Call, columns: Columns) -> Term:
    """A transformation of some events, by what it is defined as."""
    if call.transformation is AVG:  # the sum divided by the count
        total, values = (replace(call, transformation=part) for part in (SUM, COUNT))
        return ("/", _called(feature, total, columns), _called(feature, values, columns))
    if call.transformation is MEDIAN:
        call = replace(call, transformation=PERCENTILE, fraction=Decimal("0.5"))
    transformation = LAST if call.transformation is LATEST else call.transformation
    return (
        transformation.name,
        "" if call.column is None else read_term(call.column, columns, {}),
        "" if call.fraction is None else format(call.fraction.normalize(), "f"),
        "ever" if call.window is None else str(call.window),
        "" if feature.scale is None else str(feature.scale),
        "" if feature.where is None else read_term(feature.where.node, columns, {}),
    )


def _with_default(body: Term, feature: Feature, types: Types) -> Term:
    default = default_literal(feature, types[feature.name])
    return body if default is None else ("coalesce", body, read_term(default, {}, {}))


def default_literal(feature: Feature, kind: SqlType) -> exp.Expr | None:
    """The default of a feature as a literal of its type; None where there is none, or no NULL to replace."""
    value = feature.default
    if value is None or feature.is_zero_when_empty:
        return None
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        constant = exp.Literal.string(value)
        return exp.cast(constant, str(kind)) if kind in (DATE, TIMESTAMP) else constant
    # one text for 1, 1.0 and 1.00
    number = repr(abs(float(value))) if kind == DOUBLE else format(abs(Decimal(str(value))).normalize(), "f")
    literal = exp.Literal.number(number)
    return exp.Neg(this=literal) if value < 0 else literal


def view_hash(view: Sequence[Feature], source: Source, meant: Mapping[str, str]) -> str:
    """The first 8 hex digits of SHA-256 over what a view means: the version of its values.

    `meant` has the meaning of every feature by its name.
    """
    is_ordered = any(feature.is_ordered for feature in view)
    entity = [source.columns[name] for name in view[0].entity]
    meaning = {
        "semantics": SEMANTICS,
        "entity": [[column.name, str(column.type)] for column in entity],
        "source": source.name,
        "columns": _columns_read(view, source),
        "event_time": source.event_time,
        "unique_key": source.unique_key if is_ordered else None,
        "every": None if view[0].every is None else str(view[0].every),
        "features": sorted((feature.name, meant[feature.name]) for feature in view),
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:8]


def feature_version(feature: Feature, view: Sequence[Feature], source: Source, meant: Mapping[str, str]) -> str:
    """The first 8 hex digits of SHA-256 over what one feature means, whatever it is called: its version."""
    behind = _behind(feature, {other.name: other for other in view})
    meaning = {
        "semantics": SEMANTICS,
        "entity": [[name, str(source.columns[name].type)] for name in feature.entity],
        "source": source.name,
        "columns": _columns_read(behind, source),
        "event_time": source.event_time,
        "unique_key": source.unique_key if any(other.is_ordered for other in behind) else None,
        "every": None if feature.every is None else str(feature.every),
        "meaning": meant[feature.name],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:8]


def _behind(feature: Feature, view: Mapping[str, Feature]) -> list[Feature]:
    """A feature, and those that it is derived from."""
    found = {feature.name: feature}
    waiting = [feature]
    while waiting:
        below = waiting.pop()
        named = columns_of(below.expression.node) if below.call is None else ()
        more = [view[name] for name in named if name in view and name not in found]
        found |= {other.name: other for other in more}
        waiting += more
    return list(found.values())


def _columns_read(features: Sequence[Feature], source: Source) -> Mapping[str, tuple[str, bool]]:
    """Every column of the source that matters, with its type and whether it has a zone."""
    read = {*features[0].entity, str(source.event_time).lower()}
    for node in _over_source(features):
        read |= columns_of(node)
    columns = (source.columns[name] for name in sorted(read))
    return {column.name: (str(column.type), column.is_zoned) for column in columns}


def _over_source(view: Iterable[Feature]) -> Iterator[exp.Expr]:
    """The expressions of a view that read its source."""
    for feature in view:
        if feature.call is not None and feature.call.column is not None:
            yield feature.call.column
        if feature.where is not None:
            yield feature.where.node
