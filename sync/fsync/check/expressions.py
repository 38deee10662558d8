"""`unknown-column`, `type-mismatch`, `not-portable`, `cycle`: every expression has a type.

The types found here are what the plan goes on with (`feature_types`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from sqlglot import exp

from fsync.check.engine import type_in_duckdb
from fsync.language.expression import Fault, span
from fsync.language.portable import columns_of, infer
from fsync.language.portable.place import place
from fsync.language.suggest import which_columns
from fsync.language.transformations import FORMS
from fsync.language.types import BIGINT, BOOLEAN, DOUBLE, NULL, SqlType, quantised
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Call, Feature, Scalar
from fsync.spec.issue import Issue
from fsync.spec.source import Source

Types = Mapping[str, SqlType]


def expressions_are_typed(catalog: Catalog) -> Iterator[Issue]:
    for view in catalog.by_view().values():
        typing = _ViewTyping(catalog, view)
        for feature in view:
            typing.type_of(feature.name, ())
        yield from typing.issues


@lru_cache(maxsize=1)
def feature_types(catalog: Catalog) -> Types:
    """The type of every feature of a catalog, where the checks find no fault in it. Of the last catalog it is kept."""
    types: dict[str, SqlType] = {}
    for view in catalog.by_view().values():
        typing = _ViewTyping(catalog, view)
        found = ((feature.name, typing.type_of(feature.name, ())) for feature in view)
        types.update((name, kind) for name, kind in found if kind is not None)
    return types


def source_type(feature: Feature, scalar: Scalar, source: Source) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type of an expression over the columns of a source, and its faults."""
    columns = {name: column.type for name, column in source.columns.items()}
    return _inferred(feature, scalar, columns, f"source {source.name}")


def _inferred(
    feature: Feature, scalar: Scalar, columns: Mapping[str, SqlType | None], described: str
) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type of an expression, in the portable language or, where the spec names an engine, in that one's."""
    found, faults = infer(scalar.node, scalar.text, columns, described)
    faults += tuple(_with_more(scalar))
    portable_faults = [fault for fault in faults if fault.code == "not-portable"]
    if not feature.engines or not portable_faults:
        return found, faults
    unknown = [column for column in scalar.node.find_all(exp.Column) if column.name.lower() not in columns]
    if unknown:
        return None, tuple(_unknown(column, scalar.text, columns, described) for column in unknown)
    return type_in_duckdb(scalar.node, scalar.text, columns)


def _with_more(scalar: Scalar) -> Iterator[Fault]:
    """Calls with more than the portable language has in them, which the parser notes beside the operands."""
    for node in scalar.node.walk():
        if any(node.args.get(name) for name in _MORE.get(type(node), ())):
            message = "this has more in it than the portable language knows"
            yield Fault("not-portable", message, *place(node, scalar.text), ("it takes its operands alone",))


_MORE: Final[Mapping[type[exp.Expr], tuple[str, ...]]] = {
    exp.Cast: ("format", "action", "default"),
    exp.Floor: ("to",),
    exp.Ceil: ("to",),
    exp.Round: ("truncate",),
    exp.DateDiff: ("zone",),
    exp.DateTrunc: ("zone",),
    exp.TimestampTrunc: ("zone",),
    exp.Length: ("binary", "encoding"),
    exp.Trim: ("collation",),
    exp.Column: ("join_mark",),
}


def _unknown(column: exp.Column, text: str, columns: Mapping[str, SqlType | None], described: str) -> Fault:
    message = f"{described} has no column {column.name!r}"
    return Fault("unknown-column", message, *span(column, text), which_columns(column.name, columns))


class _ViewTyping:
    """The features of one view being typed, derived ones after those they read."""

    def __init__(self, catalog: Catalog, view: list[Feature]) -> None:
        self.catalog = catalog
        self.features = {feature.name: feature for feature in view}
        self.types: dict[str, SqlType | None] = {}
        self.issues: list[Issue] = []

    def type_of(self, name: str, path: tuple[str, ...]) -> SqlType | None:
        """The type of a feature; `path` holds the derived features that led here."""
        if name not in self.types:
            feature = self.features[name]
            if feature.call is None:
                self.types[name] = self._derived(feature, (*path, name))
            else:
                self.types[name] = self._transformed(feature, feature.call)
        return self.types[name]

    def _transformed(self, feature: Feature, call: Call) -> SqlType | None:
        source = self.catalog.sources.get(feature.source)
        if source is None:
            return None
        if self._untyped(feature, call, source):
            return None
        if feature.where is not None:
            found, faults = source_type(feature, feature.where, source)
            self._report(feature, "where", tuple(self._chosen(fault, feature.where) for fault in faults))
            if found not in (None, BOOLEAN, NULL):
                message = f"where is a condition, and this is {found}"
                fault = Fault("type-mismatch", message, 0, len(feature.where.text))
                self._report(feature, "where", (fault,))
        if call.column is None:
            return call.transformation.result_type(BIGINT)
        text = feature.expression.text
        found, faults = source_type(feature, Scalar(text, call.column), source)
        self._report(feature, "transformation", faults)
        if found is None:
            return None
        if feature.scale is not None and found == DOUBLE:
            found = quantised(feature.scale)
        result = call.transformation.result_type(found)
        if result is None or found == NULL:
            message = f"{call.transformation.name} takes {call.transformation.takes}, and this is {found}"
            fault = Fault("type-mismatch", message, *span(call.column, text))
            self._report(feature, "transformation", (fault,))
        return result

    def _untyped(self, feature: Feature, call: Call, source: Source) -> bool:
        """Report every column without a type that the feature reads; whether there is any."""
        before = len(self.issues)
        reads = [("transformation", feature.expression.text, call.column)]
        if feature.where is not None:
            reads.append(("where", feature.where.text, feature.where.node))
        for key, text, node in reads:
            for column in node.find_all(exp.Column) if node is not None else ():
                declared = source.columns.get(column.name.lower())
                if declared is None or declared.type is not None:
                    continue
                known = "no data_type" if declared.declared is None else f"the data_type {declared.declared!r}"
                message = f"column {declared.name!r} of {source.name} has {known}, which no feature can read"
                mend = f"declare its data_type in {source.place.file}"
                self._report(feature, key, (Fault("type-mismatch", message, *span(column, text), (mend,)),))
        return len(self.issues) > before

    def _derived(self, feature: Feature, path: tuple[str, ...]) -> SqlType | None:
        if feature.where is not None:
            message = "a derived feature has no events that `where` could choose from"
            fault = Fault("wrong-arguments", message, 0, len(feature.where.text))
            self._report(feature, "where", (fault,))
        node, text = feature.expression.node, feature.expression.text
        columns: dict[str, SqlType | None] = {}
        read = columns_of(node)
        for name in self.features.keys() - ({feature.name} - read):
            if name not in read:
                columns[name] = None  # offered by name, typed only when it is read
            elif name in path:
                way = " → ".join((*path[path.index(name) :], name))
                is_alone = name == feature.name
                message = (
                    f"{name!r} is derived from itself" if is_alone else f"features are derived from each other: {way}"
                )
                fault = Fault("cycle", message, 0, len(text))
                self._report(feature, "transformation", (fault,))
                columns[name] = None
            else:
                columns[name] = self.type_of(name, path)
        if not read:
            message = "a derived feature is made of other features, and this names none"
            self._report(feature, "transformation", (Fault("wrong-arguments", message, 0, len(text)),))
        found, faults = _inferred(feature, feature.expression, columns, f"view {feature.view}")
        self._report(feature, "transformation", tuple(self._hinted(fault, feature) for fault in faults))
        if found == NULL:
            fault = Fault("type-mismatch", "this is always NULL, and has no type", 0, len(text))
            self._report(feature, "transformation", (fault,))
            return None
        return found

    def _hinted(self, fault: Fault, feature: Feature) -> Fault:
        """A derived feature that names a column of the source was probably meant to transform it."""
        source = self.catalog.sources.get(feature.source)
        name = feature.expression.text[fault.start : fault.end].lower()
        other = next((other for other in self.catalog.features if other.name == name), None)
        if fault.code != "unknown-column" or (other is None and (source is None or name not in source.columns)):
            return fault
        if other is not None:
            mend = (
                f"{name!r} is of the view {other.view}: derived features read their own view, of one entity and source"
            )
        else:
            forms = f"latest({name}), window_sum({name}, 30d)"
            mend = f"a column of {feature.source} is read through a transformation: {forms}"
        return replace(fault, notes=(mend,))

    def _chosen(self, fault: Fault, where: Scalar) -> Fault:
        """A condition is on one event at a time, which is not what is meant by features and aggregates in it."""
        name = where.text[fault.start : fault.end].partition("(")[0].strip().lower()
        is_feature = fault.code == "unknown-column" and any(other.name == name for other in self.catalog.features)
        is_many = fault.code == "not-portable" and (name in FORMS or any("aggregates" in note for note in fault.notes))
        if is_feature:
            return replace(
                fault, notes=(f"{name!r} is a feature, and `where` chooses events by the columns of the source",)
            )
        mend = "`where` looks at one event at a time; a condition on features is a derived one: case when … end"
        return replace(fault, notes=(mend,)) if is_many else fault

    def _report(self, feature: Feature, key: str, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            place = feature.written.within(key, fault.start, fault.end)
            self.issues.append(Issue(fault.code, fault.message, place, fault.notes))
