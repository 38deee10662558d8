"""Text that dbt will read as Jinja, made safe: what a person wrote stays text."""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

_OPENING: Final = re.compile(r"\{(?=[{%#])")


def escape(text: str) -> str:
    """`text` such that Jinja renders it as itself."""
    return _OPENING.sub('{{ "{" }}', text)


def expression(jinja: str) -> exp.Expr:
    """A Jinja expression of ours, to stand in a tree as it is."""
    return exp.Var(this="{{ " + jinja + " }}")


def quoted(text: str) -> str:
    """A Jinja string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
