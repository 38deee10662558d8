"""docs/portable-sql.md is the table of `PORTABLE`; `pytest --bless` writes it."""

from __future__ import annotations

import math
from typing import Final

from fsync.language.portable import PORTABLE, Entry
from tests.conftest import ROOT

DOCUMENT: Final = ROOT / "docs" / "portable-sql.md"

HEAD: Final = """\
# The portable language

The SQL that a feature may be made of: the column of a transformation, a `where`, a derived feature. Each form has
one meaning, which the engine gives or the compiler makes it give. What is not here is `error[not-portable]`; the
message names the nearest form that is.

Types are BIGINT, DECIMAL(p,s), DOUBLE, VARCHAR, BOOLEAN, DATE, TIMESTAMP and UUID. *Numbers* are the first three. A
result of more than 38 digits, or of more than 64 bits, is an error of the build and never a wrong number; results in
DOUBLE are the same to 1 part in 1e9. In the examples, `id` is a UUID column.

<!-- written by `pytest --bless` from sync/fsync/language/portable -->

| written | on | gives | meaning | examples |
|---|---|---|---|---|
"""

OUTSIDE: Final = """
Outside are, because engines differ on them: regular expressions, approximate aggregates, hashes, `concat`, a text that
is read as a number or a time, a DOUBLE as a text or as a DECIMAL, and rounding a DOUBLE. A staging model is the place
for them: it computes a column once, and features read it. And, because a feature is a function of an entity and a time:
the clock, random numbers, subqueries and other tables.
"""


def _value(value: object) -> str:
    """A value as SQL shows it."""
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        return "infinity" if math.isinf(value) else f"{value:.12g}" if value % 1 else f"{value:.1f}"
    return str(value)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _row(entry: Entry) -> str:
    examples = "<br>".join(f"{_code(text)} is {_code(_value(value))}" for text, value in entry.examples)
    cells = (_code(entry.written), entry.on, entry.gives, entry.meaning.replace("|", "\\|"), examples)
    return f"| {' | '.join(cells)} |\n"


def test_the_document_is_the_table(bless: bool) -> None:
    text = HEAD + "".join(_row(entry) for entry in PORTABLE) + OUTSIDE
    if bless:
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text
