"""A macro of the dbt package, rendered without dbt, which takes seconds to load.

So a training set that the command line writes, and one that a dbt model with the macro builds, are one query; and so
are a view's model that dbt builds, and one that is only looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, NoReturn

from jinja2 import Environment, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from fsync.errors import InputError
from fsync.plan import View
from fsync.root import find_reference
from fsync.sql.features import NAME
from fsync.sql.model import model_sql

#: the folders of the macros that are known here
_TRAINING: Final = "macros/training"
_TRANSFORMATIONS: Final = "macros/transformations"


def point_in_time(
    labels: str,
    timestamp: str,
    features: Sequence[str],
    known: Mapping[str, Any],
    relation_of: Callable[[str], str],
    *,
    inclusive: bool = False,
    keys: Mapping[str, Any] | None = None,
    few: bool = True,
) -> str:
    """The query of `{{ fsync.point_in_time(…) }}`, in DuckDB's SQL.

    Args:
        labels: a relation, or a query in parentheses, as SQL.
        timestamp: the column of the labels with the time that is asked about.
        features: the names of features, in the order of the result.
        known: what the macro `fsync_features` returns; see `fsync.sql.features.known_features`.
        relation_of: the relation of a view, as SQL.
        inclusive: whether what happened at the very time of a label counts.
        keys: which column of the labels has which column of an entity, where their names differ.
        few: whether to leave out the rows of entities without a label first.
    """
    macro = Package(_TRAINING, known, relation_of).point_in_time
    return str(macro(labels, timestamp=timestamp, features=features, inclusive=inclusive, keys=keys or {}, few=few))


def label_time(column: str) -> str:
    """The time of a label as `point_in_time` takes it, of a column of labels as SQL."""
    return str(Package(_TRAINING, {}, str).label_time(column))


def model_query(view: View, source: str, is_changed: str) -> str:
    """The query of a view's model, in DuckDB's SQL, of some entities.

    Args:
        source: the relation that it reads, as SQL.
        is_changed: the condition on events that stands in the place of `{{ fsync.is_changed() }}`, as SQL.
    """
    package = Package(_TRANSFORMATIONS, {}, lambda _name: source, is_changed=lambda: is_changed)
    given = {"fsync": package, "ref": lambda *_: source, "source": lambda *_: source, "config": lambda **_: ""}
    text = "\n".join(line for line in model_sql(view).splitlines() if not line.startswith("--"))
    return _environment().from_string(text).render(given)


class Package:
    """The macros, as dbt gives them to each other under the package's name."""

    def __init__(
        self, folder: str, known: Mapping[str, Any], relation_of: Callable[[str], str], **others: Callable[..., str]
    ) -> None:
        adapter = SimpleNamespace(
            dispatch=lambda name, _package: getattr(self, f"duckdb__{name}"),
            quote=lambda name: '"' + name.replace('"', '""') + '"',
        )
        given = {
            "fsync": self,
            "adapter": adapter,
            "ref": relation_of,
            "return": _give_back,
            "context": {NAME: lambda: known},
            "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
        }
        self._macros: dict[str, Callable[..., str]] = dict(others)
        for text in _texts(folder):
            module = _environment().from_string(text).make_module(given)
            self._macros |= {name: macro for name, macro in vars(module).items() if callable(macro)}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        macro = self._macros[name]

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return macro(*arguments, **named)
            except _Returned as returned:
                return returned.value

        return call


class _Returned(Exception):  # no error: how dbt's `return` leaves a macro
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _give_back(value: Any) -> NoReturn:
    raise _Returned(value)


def _refuse(message: str) -> NoReturn:
    raise InputError(message)


@cache
def _environment() -> Environment:
    return SandboxedEnvironment(extensions=["jinja2.ext.do"], undefined=StrictUndefined)


@cache
def _texts(folder: str) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8") for path in sorted((find_reference() / folder).glob("*.sql")))
