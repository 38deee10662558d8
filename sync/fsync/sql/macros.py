"""The dbt macros of the transformations: one public macro a file, dispatched to one form per engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from sqlglot import exp

from fsync.check.names import EVENT_NUMBER
from fsync.language.transformations import TRANSFORMATIONS, Reach, Transformation
from fsync.language.transformations.base import Operands
from fsync.sql.engines import ENGINES
from fsync.sql.validity import LIFETIME, window_name


@dataclass(frozen=True)
class Argument:
    """An argument of a macro. `default` is a Jinja expression; None for one that has to be given."""

    name: str
    type: str
    description: str
    default: str | None = None

    def __str__(self) -> str:
        return self.name if self.default is None else f"{self.name}={self.default}"


_COLUMN: Final = Argument("column", "string", "The column to aggregate, of the rows that the model's frames run over.")
_FRACTION: Final = Argument("fraction", "string", "Which percentile, between 0 and 1: 0.95.")
_DURATION: Final = Argument("duration", "string", "How far back to look, such as 30d: the model's frame last_30d.")
_TTL: Final = Argument("ttl", "string", "How long a value counts, such as 30d; for ever without it.", "none")
_ORDER: Final = Argument(
    "order_by",
    "string",
    "A column that numbers the events of an entity in their order; `fsync.changes` makes it.",
    f"'{EVENT_NUMBER}'",
)

_LEAVES: Final = Argument(
    "leaves",
    "integer",
    "Without it, the aggregate runs over the frame last_<duration>. With it, it is made of what enters and leaves: the "
    "number that the model's column `leaves` has in the rows at the end of this window, where `column` has its value "
    "again. For exact numbers alone, and not over the rows of `fsync.changes`, which have no such column.",
    "none",
)

_LATEST: Final = f"{{% if ttl is none %}}{LIFETIME}{{% else %}}{window_name('{{ ttl }}')}{{% endif %}}"
_FRAMES: Final[Mapping[Reach, str]] = {
    "window": window_name("{{ duration }}"),
    "lifetime": LIFETIME,
    "latest": _LATEST,
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
            "description": f"{transformation.summary} Of nothing: {_empty(transformation)}.",
            "arguments": [
                {"name": argument.name, "type": argument.type, "description": argument.description}
                for argument in _arguments(transformation, reach)
            ],
        }
        for transformation in TRANSFORMATIONS
        for form, reach in transformation.forms
    ]
    return sorted(docs, key=lambda entry: str(entry["name"]))


def _empty(transformation: Transformation) -> str:
    return "0" if transformation.is_zero_when_empty else "NULL"


def _arguments(transformation: Transformation, reach: Reach) -> tuple[Argument, ...]:
    fraction = (_FRACTION,) if transformation.takes_fraction else ()
    looks_back = {"window": (_DURATION,), "lifetime": (), "latest": (_TTL,)}[reach]
    order = (_ORDER,) if transformation.is_ordered else ()
    leaves = (_LEAVES,) if transformation.can_run(reach) else ()
    return (_COLUMN, *fraction, *looks_back, *order, *leaves)


def macro_tree(transformation: Transformation, reach: Reach, *, leaves: bool = False) -> exp.Expr:
    """The logical tree of a macro's body, with Jinja in the places of its arguments.

    With `leaves`, that of what enters and leaves a window.
    """
    return transformation.build(
        Operands(
            column=exp.Var(this="{{ column }}"),
            frame=exp.Var(this=_FRAMES[reach]),
            order=exp.Var(this="{{ order_by }}"),
            fraction=exp.Var(this="{{ fraction }}"),
            leaves=exp.Var(this="{{ leaves }}") if leaves else None,
        )
    )


def _macro(transformation: Transformation, form: str, reach: Reach) -> str:
    arguments = _arguments(transformation, reach)
    parameters = ", ".join(str(argument) for argument in arguments)
    names = ", ".join(argument.name for argument in arguments)
    parts = [
        f"{{# {transformation.summary} #}}",
        f"{{% macro {form}({parameters}) -%}}",
        f"    {{{{ return(adapter.dispatch('{form}', 'fsync')({names})) }}}}",
        "{%- endmacro %}",
    ]
    for engine in ENGINES:
        parts += [
            "",
            f"{{% macro {engine.NAME}__{form}({names}) -%}}",
            *_body(engine, transformation, reach),
            "{%- endmacro %}",
        ]
    return "\n".join(parts) + "\n"


def _body(engine: ModuleType, transformation: Transformation, reach: Reach) -> list[str]:
    framed = engine.render(macro_tree(transformation, reach), pretty=False)
    if not transformation.can_run(reach):
        return [f"    {framed}"]
    running = engine.render(macro_tree(transformation, reach, leaves=True), pretty=False)
    return ["    {%- if leaves is none %}", f"    {framed}", "    {%- else %}", f"    {running}", "    {%- endif %}"]
