"""The features and services of a project as a dbt macro, for macros that join features to labels.

dbt knows no other way for a macro to know of models before they are read: while it finds out what depends on what, its
graph is not there yet.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from fsync.plan import Plan, View
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.engines import duckdb

#: the macro's name; `fsync.point_in_time` calls it
NAME: Final = "fsync_features"

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def features_macro(plan: Plan) -> str:
    """The text of the macro."""
    # braces in a text are written so that nothing that reads macros can take them for Jinja's
    known = _TEXT.sub(_without_braces, json.dumps(known_features(plan), indent=2, ensure_ascii=False))
    return (
        "{# What point_in_time knows: views with their entity, features with their empty values, services. #}\n"
        f"{{% macro {NAME}() %}}\n{{{{ return({known}) }}}}\n{{% endmacro %}}\n"
    )


def _without_braces(text: re.Match[str]) -> str:
    return text[0].replace("{", r"\u007b").replace("}", r"\u007d")


def known_features(plan: Plan) -> dict[str, Any]:
    """What the macro returns: lists, texts and mappings of them alone."""
    return {
        "views": {view.name: _known_view(view) for view in plan.views},
        "services": {service.name: list(service.features) for service in plan.services},
    }


def _known_view(view: View) -> dict[str, Any]:
    empty = (
        duckdb.render(empty_literal(value, planned.type), pretty=False)
        for planned, value in zip(view.features, empty_values(view), strict=True)
    )
    names = (planned.name for planned in view.features)
    return {"entity": [column.name for column in view.entity], "features": dict(zip(names, empty, strict=True))}
