"""The text of a view's dbt model: what it is, its configuration, its query."""

from __future__ import annotations

import json

from sqlglot import exp

from fsync.plan import Planned, View
from fsync.sql import jinja
from fsync.sql.engines import duckdb
from fsync.sql.logical import rewrite
from fsync.sql.validity import validity_table


def model_sql(view: View) -> str:
    """The query of a view, after its configuration and a comment that says what each column is."""
    query = duckdb.render(rewrite(validity_table(view), _text_stays_text))
    return f"{_about(view)}\n{_config(view)}\n\n{query}\n"


def _text_stays_text(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal) and node.is_string:
        return exp.Literal.string(jinja.escape(node.name))
    return node


def _about(view: View) -> str:
    keys = ", ".join(column.name for column in view.entity)
    width = max(len(planned.name) for planned in view.features)
    lines = [
        f"One row for each change of ({keys}): as of t, the row with valid_from < t <= valid_to holds.",
        "",
        *(f"    {planned.name:<{width}}  {_meaning(planned)}" for planned in view.features),
    ]
    return "\n".join(f"-- {jinja.escape(line)}".rstrip() for line in lines)


def _meaning(planned: Planned) -> str:
    """A feature as its spec says it, on one line."""
    feature = planned.feature
    where = "" if feature.condition is None else f" where {feature.condition}"
    default = "" if feature.default is None else f", default {json.dumps(feature.default, ensure_ascii=False)}"
    return f"{feature.definition}{where}{default}"


def _config(view: View) -> str:
    # the stamp lets `fsync push` see which version of the view a table holds, and as of when
    stamp = f"{{{{ fsync.stamp('{view.name}', '{view.hash}') }}}}"
    return f"{{{{ config(materialized='table', post_hook=\"{stamp}\") }}}}"
