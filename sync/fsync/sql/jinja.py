"""Text that dbt will read as Jinja, made safe: what a person wrote stays text."""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

_OPENING: Final = re.compile(r"\{(?=[{%#])")
#: a line break at the end, and the braces before it, which must not meet those of Jinja
_END: Final = re.compile(r"(\{*)\n\Z")


def escape(text: str) -> str:
    """`text` such that Jinja renders it as itself."""
    return _OPENING.sub('{{ "{" }}', text)


def escape_whole(text: str) -> str:
    """The same for a text that is read as a template of its own: Jinja drops one line break at the end of those."""
    end = _END.search(text)
    if end is None:
        return escape(text)
    return escape(text[: end.start()]) + '{{ "' + end[1] + r'\n" }}'


def expression(jinja: str) -> exp.Expr:
    """A Jinja expression of ours, to stand in a tree as it is."""
    return exp.Var(this="{{ " + jinja + " }}")


def quoted(text: str) -> str:
    """A Jinja string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
