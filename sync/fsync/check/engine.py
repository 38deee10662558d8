"""The type of an expression that is written for one engine alone: the engine is asked."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from fsync.errors import one_line
from fsync.language.expression import Fault, span
from fsync.language.portable import Columns
from fsync.language.types import SqlType, parse_type

#: what is more than a value of one row
_MORE: Final = (exp.Query, exp.Subquery, exp.Window, exp.AggFunc, exp.Star)


def type_in_duckdb(node: exp.Expr, text: str, columns: Columns) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type that DuckDB gives an expression over columns of these types, or what it has against it.

    Args:
        node: the parsed expression. Columns that it does not have are the caller's fault to find.
        text: what it was parsed from.
        columns: their names, in lower case, with their types; None for one whose type is not known.
    """
    if node.find(*_MORE) is not None:
        return None, (_fault("not-portable", "this is more than a value made of one row, on any engine", node, text),)
    import duckdb  # the engine itself, needed by specs that name it

    sql = node.sql(dialect="duckdb", comments=False)
    typed = (exp.alias_(exp.cast(exp.null(), str(kind)), name, quoted=True) for name, kind in columns.items() if kind)
    row = exp.select(exp.Literal.number(1), *typed).sql(dialect="duckdb")
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        try:
            # an aggregate that the parser does not know as one has no place in a condition
            found = connection.execute(f"describe select {sql} from ({row}) where ({sql}) is null").fetchall()[0][1]
        except duckdb.Error as error:
            message = f"DuckDB cannot compute this: {one_line(str(error).splitlines()[0])}"
            return None, (_fault("type-mismatch", message, node, text),)
    kind = parse_type(str(found))
    if kind is None:
        return None, (_fault("type-mismatch", f"this is {found} in DuckDB, which no feature can hold", node, text),)
    return kind, ()


def _fault(code: str, message: str, node: exp.Expr, text: str) -> Fault:
    return Fault(code, message, *span(node, text))
