"""The text of a view's dbt model: what it is, its configuration, its query."""

from __future__ import annotations

import json
from typing import Final

from sqlglot import exp

from fsync.plan import Planned, View
from fsync.sql import jinja
from fsync.sql.engines import duckdb
from fsync.sql.validity import column, validity_table


def model_sql(view: View) -> str:
    """The query of a view, after its configuration and a comment that says what each column is."""
    query = validity_table(view)
    for literal in query.find_all(exp.Literal):
        if literal.is_string:
            literal.set("this", jinja.escape(literal.name))
    return f"{_about(view)}\n{_CONFIG}\n\n{duckdb.render(query, copy=False)}\n"


def column_sql(view: View, planned: Planned) -> str:
    """What a feature's column is in the model of its view, with the macros that it calls, on one line."""
    return duckdb.render(column(planned, view), pretty=False)


def _about(view: View) -> str:
    keys = ", ".join(column.name for column in view.entity)
    width = max(len(planned.name) for planned in view.features)
    lines = [
        f"One row for each change of ({keys}): as of t, the row with valid_from < t <= valid_to holds.",
        *([] if view.every is None else [f"Values change only every {view.every}."]),
        "",
        *(f"    {planned.name:<{width}}  {_meaning(planned)}" for planned in view.features),
    ]
    return "\n".join(f"-- {jinja.escape(line)}".rstrip() for line in lines)


def _meaning(planned: Planned) -> str:
    """A feature as its spec says it, on one line."""
    feature = planned.feature
    where = "" if feature.condition is None else f" where {feature.condition}"
    ttl = "" if feature.ttl is None else f", ttl {feature.ttl}"
    scale = "" if feature.scale is None else f", scale {feature.scale}"
    default = "" if feature.default is None else f", default {json.dumps(feature.default, ensure_ascii=False)}"
    return f"{feature.definition}{where}{ttl}{scale}{default}"


#: what the materialization has to know stands in the model's YAML, under `config.meta.fsync`
_CONFIG: Final = "{{ config(materialized='validity_table') }}"
