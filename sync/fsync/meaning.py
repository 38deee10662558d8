"""What a feature means, whatever it is called, whoever owns it and however it is spelled.

Features of one meaning are duplicates, and the hash of a view is made of what its features mean.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.language.canonical import normal, text
from fsync.language.scalar import Columns, columns_of
from fsync.language.term import Term, read_term
from fsync.language.transformations.avg import AVG
from fsync.language.transformations.count import COUNT
from fsync.language.transformations.sum import SUM
from fsync.language.types import DATE, DOUBLE, TIMESTAMP, SqlType
from fsync.spec.feature import Call, Feature, Scalar
from fsync.spec.source import Source

Types = Mapping[str, SqlType]

#: Part of every hash: raised when the compiler gives the same specs another meaning.
SEMANTICS: Final = 1


def meanings(view: Iterable[Feature], source: Source, types: Types) -> Mapping[str, str]:
    """The meaning of every feature of a view, by its name: equal texts are equal values at every instant.

    Args:
        view: all features of one view, of a catalog that has passed the checks.
        source: what they read. It is not part of the text, and neither is the entity.
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
                body = _called(feature.call, feature.where, columns)
            else:  # every feature that it names, replaced by what that one means
                node = feature.expression.node
                body = read_term(node, types, {other: term(other) for other in columns_of(node)})
            found[name] = normal(_with_default(body, feature, types))
        return found[name]

    return {name: term(name) for name in features}


def _called(call: Call, where: Scalar | None, columns: Columns) -> Term:
    """A transformation of some events. Whatever is said of a call is read, so that nothing new is forgotten."""
    if call.transformation is AVG:  # which is defined as the sum divided by the count
        total, values = (dataclasses.replace(call, transformation=part) for part in (SUM, COUNT))
        return ("/", _called(total, where, columns), _called(values, where, columns))
    said = {field.name: getattr(call, field.name) for field in dataclasses.fields(call)}
    name = said.pop("transformation").name
    chosen = None if where is None else where.node
    return (name, *(_part(value, columns) for value in (*said.values(), chosen)))


def _part(value: object, columns: Columns) -> Term:
    if value is None:
        return ""
    return read_term(value, columns, {}) if isinstance(value, exp.Expr) else str(value)


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


def view_hash(view: Sequence[Feature], source: Source, types: Types, *, is_ordered: bool) -> str:
    """The first 8 hex digits of SHA-256 over what a view means: the version of its values.

    `is_ordered` says whether any value depends on the order of events at one instant.
    """
    entity = [source.columns[name] for name in view[0].entity]
    meaning = {
        "semantics": SEMANTICS,
        "entity": [[column.name, str(column.type)] for column in entity],
        "source": source.name,
        "columns": _columns_read(view, source),
        "event_time": source.event_time,
        "unique_key": source.unique_key if is_ordered else None,
        "features": sorted(meanings(view, source, types).items()),
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:8]


def _columns_read(view: Sequence[Feature], source: Source) -> Mapping[str, tuple[str, bool]]:
    """Every column of the source that matters, with its type and whether it has a zone."""
    read = {*view[0].entity, str(source.event_time).lower()}
    for node in _over_source(view):
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
