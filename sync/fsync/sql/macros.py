"""The dbt macros of the transformations: one public macro a file, dispatched to one form per engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlglot import exp

from fsync.language.transformations import TRANSFORMATIONS, Reach, Transformation
from fsync.sql.engines import ENGINES
from fsync.sql.validity import LIFETIME, NEWEST, window_name

_FRAMES: Final[Mapping[Reach, str]] = {
    "window": window_name("{{ duration }}"),
    "lifetime": LIFETIME,
    "latest": NEWEST,
}

_COLUMN: Final = {
    "name": "column",
    "type": "string",
    "description": "The column to aggregate, of the rows that the model's frames run over.",
}
_DURATION: Final = {
    "name": "duration",
    "type": "string",
    "description": "How far back to look, such as 30d: the model's frame last_30d.",
}


def macro_files() -> Mapping[str, str]:
    """Every macro as file name → text, without a header."""
    return {
        f"{form}.sql": _macro(transformation, form, reach)
        for transformation in TRANSFORMATIONS
        for form, reach in transformation.forms
    }


def macro_docs() -> list[dict[str, Any]]:
    """The entries of `_macros.yml`, in the order of their names."""
    docs = [
        {
            "name": form,
            "description": transformation.summary,
            "arguments": [_COLUMN, _DURATION] if reach == "window" else [_COLUMN],
        }
        for transformation in TRANSFORMATIONS
        for form, reach in transformation.forms
    ]
    return sorted(docs, key=lambda entry: str(entry["name"]))


def _macro(transformation: Transformation, form: str, reach: Reach) -> str:
    parameters = "column, duration" if reach == "window" else "column"
    frame = exp.Var(this=_FRAMES[reach])
    tree = transformation.build(exp.Var(this="{{ column }}"), frame)
    parts = [
        f"{{# {transformation.summary} #}}",
        f"{{% macro {form}({parameters}) -%}}",
        f"    {{{{ return(adapter.dispatch('{form}', 'fsync')({parameters})) }}}}",
        "{%- endmacro %}",
    ]
    for engine in ENGINES:
        parts += [
            "",
            f"{{% macro {engine.NAME}__{form}({parameters}) -%}}",
            f"    {engine.render(tree, pretty=False)}",
            "{%- endmacro %}",
        ]
    return "\n".join(parts) + "\n"
