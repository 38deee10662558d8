"""What an entry of the portable language is, and the walk that types an expression by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from fsync.language.expression import Fault
from fsync.language.portable.hints import SIGNS, described, hints
from fsync.language.portable.place import called, place
from fsync.language.types import BOOLEAN, DATE, DOUBLE, NULL, TIMESTAMP, VARCHAR, SqlType, decimal

Columns = Mapping[str, SqlType | None]
_TYPED: Final = "fsync_typed"


@dataclass(frozen=True)
class Entry:
    """One form of the portable language: a line of docs/portable-sql.md.

    `examples` are SQL texts and their values in Python, written by hand from the meaning; in them `id` is a
    UUID column.
    """

    #: how a person writes it; a function's name is read from here: `abs(a)`
    written: str
    #: the types of its operands, for people
    on: str
    #: the type of its result, for people
    gives: str
    meaning: str
    #: the syntax nodes that it is parsed to
    nodes: tuple[type[exp.Expr], ...]
    rule: Rule
    examples: tuple[tuple[str, object], ...]

    @property
    def functions(self) -> frozenset[str]:
        """The names of the functions that this is; none for an operator."""
        return frozenset(re.findall(r"(\w+)\(", self.written))


@dataclass(frozen=True)
class Typed:
    """What was found of a node: the type it gives, and those of its operands."""

    gives: SqlType
    takes: tuple[SqlType, ...]

    def __deepcopy__(self, _memo: object) -> Typed:
        return self  # as `SqlType` does


def typed(node: exp.Expr) -> Typed | None:
    """What `infer` noted on a node, or None for a node that it has not seen. Copies keep the note."""
    found = node.meta.get(_TYPED)
    return found if isinstance(found, Typed) else None


class Typing:
    """One expression being typed: its text, the columns it may name, and the faults found so far."""

    def __init__(self, text: str, columns: Columns, described: str, language: Language) -> None:
        self.text = text
        self.columns = columns
        self.described = described
        self.language = language
        self.faults: list[Fault] = []

    def type_of(self, node: exp.Expr) -> SqlType | None:
        """The type of `node`, or None when a fault (in it, or elsewhere in the project) hides it.

        The type is noted on the node, where lowering finds it: engines give some results fewer digits.
        """
        entries, name = self.language.get(type(node), ()), called(node, self.text)
        if not _is_written_so(node, name, entries):
            known = (word for others in self.language.values() for entry in others for word in entry.functions)
            message = f"{described(node, name)} is not part of the portable language"
            return self.not_portable(node, message, *hints(node, name, known))
        found = entries[0].rule(self, node)
        if found is not None:
            takes = (noted.gives for child in node.iter_expressions() if (noted := typed(child)) is not None)
            node.meta[_TYPED] = Typed(found, tuple(takes))
        return found

    def fault(self, code: str, node: exp.Expr, message: str, *notes: str) -> SqlType | None:
        """Note a fault; what it stands in has no type, so this returns None."""
        start, end = place(node, self.text)
        self.faults.append(Fault(code, message, start, end, notes))
        return None

    def mismatch(self, node: exp.Expr, message: str, *notes: str) -> SqlType | None:
        return self.fault("type-mismatch", node, message, *notes)

    def not_portable(self, node: exp.Expr, message: str, *notes: str) -> SqlType | None:
        return self.fault("not-portable", node, message, *notes)

    # ------------------------------------------------------------ operands of some kind

    def expect(self, node: exp.Expr, accepts: Callable[[SqlType], bool], what: str, *notes: str) -> SqlType | None:
        """The type of an operand that has to be of some kind, NULL included; None after a fault."""
        found = self.type_of(node)
        if found is not None and found != NULL and not accepts(found):
            return self.mismatch(node, f"{what} is needed here, and this is {found}", *notes)
        return found

    def number(self, node: exp.Expr) -> SqlType | None:
        found = self.type_of(node)
        if found in (DATE, TIMESTAMP):
            mend = "date_diff('day', a, b) is the time between two times, as a number"
            return self.mismatch(node, f"a number is needed here, and this is {found}", mend)
        if found is not None and found != NULL and not found.is_number:
            return self.mismatch(node, f"a number is needed here, and this is {found}")
        return found

    def exact(self, node: exp.Expr, *notes: str) -> SqlType | None:
        return self.expect(node, lambda kind: kind.is_exact_number, "a bigint or decimal", *notes)

    def words(self, *nodes: exp.Expr | None) -> bool:
        """Whether all operands are texts; those left out are none."""
        found = [self.expect(node, lambda kind: kind == VARCHAR, "a text") for node in nodes if node is not None]
        return None not in found

    def time(self, node: exp.Expr) -> SqlType | None:
        return self.expect(node, lambda kind: kind in (DATE, TIMESTAMP), "a date or timestamp")

    def truth(self, node: exp.Expr) -> SqlType | None:
        return self.expect(node, lambda kind: kind == BOOLEAN, "a condition")

    def unified(self, parts: list[exp.Expr], verb: str) -> SqlType | None:
        """The common type of several parts, or None after a fault."""
        result: SqlType | None = NULL
        for part in parts:
            found = self.type_of(part)
            if found is None or result is None:
                result = None
            elif (wider := common_type(result, found)) is None:
                notes = self._about_pair(result, found)
                self.mismatch(part, f"{result} and {found} cannot be {verb}", *notes)
                result = None
            else:
                result = wider
        return result

    @staticmethod
    def _about_pair(left: SqlType, right: SqlType) -> tuple[str, ...]:
        names = {left.name, right.name}
        if names == {"uuid", "varchar"}:
            return ("cast(a as varchar) is the text of a uuid, in lower case",)
        if names == {"date", "timestamp"}:
            return ("cast(a as timestamp) is the midnight of a date, cast(a as date) the day of a timestamp",)
        return ()


def _is_written_so(node: exp.Expr, name: str | None, entries: tuple[Entry, ...]) -> bool:
    """Whether an entry has this spelling; `ifnull(a, b)` is parsed to the same node as `coalesce(a, b)`."""
    if name is None:
        return bool(entries) and type(node) not in SIGNS
    return any(name in entry.functions for entry in entries)


Rule = Callable[[Typing, exp.Expr], SqlType | None]
#: the entries of every node that the language has
Language = Mapping[type[exp.Expr], tuple[Entry, ...]]


def common_type(left: SqlType, right: SqlType) -> SqlType | None:
    """The type that holds both without loss of meaning, or None: numbers widen, NULL fits anything."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if not (left.is_number and right.is_number):
        return None
    if DOUBLE in (left, right):
        return DOUBLE
    one, other = digits(left), digits(right)
    scale = max(one[1], other[1])
    return decimal(max(one[0] - one[1], other[0] - other[1]) + scale, scale)


def digits(number: SqlType) -> tuple[int, int]:
    """Precision and scale of an exact number; those of NULL are 0."""
    return (19, 0) if number.is_integer else (number.precision or 0, number.scale or 0)
