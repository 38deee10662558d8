"""The type of an expression that is written for one engine alone: the engine is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from fsync.errors import one_line
from fsync.language.expression import Fault, span
from fsync.language.portable import Columns
from fsync.language.types import SqlType, parse_type

if TYPE_CHECKING:
    import duckdb

#: what is more than a value of one row
_MORE: Final = (exp.Query, exp.Subquery, exp.Window, exp.AggFunc, exp.Star)
#: where dbt would begin to read Jinja in a model
_OPENINGS: Final = ("{{", "{%", "{#")
#: what SQL writes without brackets or DuckDB by another name, and `age` of one argument, which means today
_CLOCKS: Final = frozenset({"current_timestamp", "current_time", "localtime", "localtimestamp", "age"})


def type_in_duckdb(node: exp.Expr, text: str, columns: Columns) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type that DuckDB gives an expression over columns of these types, or what it has against it.

    Args:
        node: the parsed expression. Columns that it does not have are the caller's fault to find.
        text: what it was parsed from.
        columns: their names, in lower case, with their types; None for one whose type is not known.
    """
    if node.find(*_MORE) is not None:
        return None, (_fault("not-portable", "this is more than a value made of one row, on any engine", node, text),)
    if faults := tuple(_volatile(node, text)):
        return None, faults
    if (opening := _jinja(node)) is not None:
        message = f"dbt would read {opening!r} as Jinja, which only a plain text can hold: 'a {opening}'"
        return None, (_fault("not-portable", message, node, text),)
    typed = (exp.alias_(exp.cast(exp.null(), str(kind)), name, quoted=True) for name, kind in columns.items() if kind)
    row = exp.select(exp.Literal.number(1), *typed).sql(dialect="duckdb")
    sql = node.sql(dialect="duckdb", comments=False)
    import duckdb  # the engine itself, needed by specs that name it

    with _engine().cursor() as cursor:
        try:
            # an aggregate that the parser does not know as one has no place in a condition
            found = cursor.execute(f"describe select {sql} from ({row}) where ({sql}) is null").fetchall()[0][1]
        except duckdb.Error as error:
            message = f"DuckDB cannot compute this: {one_line(str(error).splitlines()[0])}"
            return None, (_fault("type-mismatch", message, node, text),)
    if found == "TIMESTAMP WITH TIME ZONE":
        message, mend = "this is an instant that is shown in the zone of a session", "say which: … at time zone 'UTC'"
        return None, (_fault("type-mismatch", message, node, text, mend),)
    kind = parse_type(str(found))
    if kind is None:
        return None, (_fault("type-mismatch", f"this is {found} in DuckDB, which no feature can hold", node, text),)
    return kind, ()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """An engine without data that reads no file, one for all expressions."""
    import duckdb

    return duckdb.connect(":memory:", config={"enable_external_access": "false"})


def _jinja(node: exp.Expr) -> str | None:
    """What begins Jinja outside of the plain texts, which are escaped: in names, `$$ $$`, `e''` and their like."""
    blanked = node.copy().transform(lambda part: exp.Literal.string("") if _is_plain_text(part) else part)
    sql = blanked.sql(dialect="duckdb", comments=False)
    return next((opening for opening in _OPENINGS if opening in sql), None)


def _is_plain_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _volatile(node: exp.Expr, text: str) -> Iterator[Fault]:
    """Functions whose value depends on more than their arguments: the clock, chance, the session."""
    for function in node.find_all(exp.Func):
        name = function.name if isinstance(function, exp.Anonymous) else function.sql("duckdb").partition("(")[0]
        if name.lower() in _volatile_functions():
            message = f"{name.lower()} gives another value at another time, and a feature has one at an instant"
            yield _fault("not-portable", message, function, text)


@cache
def _volatile_functions() -> frozenset[str]:
    """The functions that DuckDB says are not the same for the same arguments, whatever the types of these."""
    with _engine().cursor() as cursor:
        rows = cursor.execute(
            "select function_name from duckdb_functions() where function_type = 'scalar' "
            "group by all having bool_and(stability is distinct from 'CONSISTENT')"
        ).fetchall()
    return frozenset(row[0] for row in rows) | _CLOCKS


def _fault(code: str, message: str, node: exp.Expr, text: str, *notes: str) -> Fault:
    return Fault(code, message, *span(node, text), notes)
