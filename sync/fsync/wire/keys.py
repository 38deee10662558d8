"""Every key that a deployment has in its store.

    fs:{42}:user_lifetime:715776b2              the values of one entity
    fs:view:user_lifetime                       the meta of the version that is served
    fs:version:{fs:view:user_lifetime}:715776b2 of each version that has keys: its meta, or that a push is under way
    fs:lease:{fs:view:user_lifetime}            who pushes the view now
    fs:service:churn_model                      the features of a service, in their order

The braces are Redis Cluster's hash tag: all views of one entity live in one slot, and so does all that is about one
view, which is how a push can be checked against its lease and switched in one step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fsync.errors import InputError
from fsync.language.types import SqlType

PREFIX: Final = "fs"

#: One entity: its value, or a tuple of them for an entity of several columns.
Key = Any

#: What is written as %XX in keys, as a class of a regular expression.
ESCAPED: Final = r"[%|{}\x00-\x1f\x7f]"
#: How an empty text is written: an empty hash tag would scatter an entity over the cluster.
NOTHING: Final = "%"


def meta_key(prefix: str, view: str) -> str:
    return f"{prefix}:view:{view}"


def service_key(prefix: str, service: str) -> str:
    return f"{prefix}:service:{service}"


def version_key(prefix: str, view: str, version: str) -> str:
    return f"{prefix}:version:{{{meta_key(prefix, view)}}}:{version}"


def lease_key(prefix: str, view: str) -> str:
    return f"{prefix}:lease:{{{meta_key(prefix, view)}}}"


def around_entity(prefix: str, view: str, version: str) -> tuple[str, str]:
    """What stands before and after an entity's text in its key."""
    return f"{prefix}:{{", f"}}:{view}:{version}"


def entity_key(prefix: str, version: str, view: str, entity: str) -> str:
    """The key of one entity's values; `entity` comes from `entity_text`, `version` is the view's hash."""
    before, after = around_entity(prefix, view, version)
    return f"{before}{entity}{after}"


def view_patterns(prefix: str, view: str) -> tuple[str, str]:
    """Redis patterns of the keys that a reader of a view needs, and no others: of its entities, and its meta."""
    before, after = (literal_pattern(part) for part in around_entity(prefix, view, ""))
    # a version is eight digits; no view's name holds a colon, and no entity's text a brace
    return f"{before}*{after}????????", literal_pattern(meta_key(prefix, view))


def literal_pattern(text: str) -> str:
    """A Redis pattern of a text itself."""
    return re.sub(r"([*?\[\]\\^-])", r"\\\1", text)


def entity_text(key: Key, columns: Sequence[tuple[str, SqlType]]) -> str:
    """How an entity is written in keys: its values joined by `|`, each escaped so that none can forge another.

    A key of several columns is a tuple, or a text in this form already, in which `%7C` is a bar in a value
    and `%25` a percent.

    Raises:
        InputError: when the key does not have the columns, or a value is not of its column's type.
    """
    if len(columns) == 1 and not isinstance(key, (tuple, list)):  # three times as fast as a union
        return _text(key, *columns[0])
    if isinstance(key, str) and len(columns) > 1:
        key = tuple(_unescaped(part) for part in key.split("|"))
    values = key if isinstance(key, tuple | list) else (key,)
    if len(values) != len(columns):
        names = ", ".join(name for name, _ in columns)
        raise InputError(f"the entity has {len(columns)} columns ({names}), and the key {len(values)}")
    return "|".join([_text(value, *column) for value, column in zip(values, columns, strict=True)])


def entity_parts(key: Key, columns: Sequence[tuple[str, SqlType]]) -> tuple[str, ...]:
    """The values of an entity as texts, one a column. Raises InputError as `entity_text` does."""
    return stored_parts(entity_text(key, columns))


def stored_parts(text: str) -> tuple[str, ...]:
    """The values of an entity as texts, one a column, of what stands in its key."""
    return tuple(
        "" if part == NOTHING else re.sub("%(..)", lambda found: chr(int(found[1], 16)), part)
        for part in text.split("|")
    )


def _unescaped(text: str) -> str:
    if re.search(r"%(?!25|7[Cc])", text):
        raise InputError(f"{text!r}: write a percent in a key as %25, and a bar as %7C")
    return re.sub("%7c", "|", text, flags=re.IGNORECASE).replace("%25", "%")


def _text(value: object, name: str, kind: SqlType) -> str:
    """The one text of an entity value: 42 and "42" are the same integer, but not the same text."""
    if type(value) is int and kind.name == "bigint":
        return str(value)
    try:
        if kind.name == "bigint" and isinstance(value, int | str) and not isinstance(value, bool):
            return str(int(value))
        if kind.name == "varchar" and isinstance(value, str):
            value.encode()  # a lone surrogate is no text
            return _escaped(value)
        if kind.name == "uuid" and isinstance(value, UUID | str):
            return str(UUID(str(value)))
        if kind.name == "date" and isinstance(value, date | str) and not isinstance(value, datetime):
            return (date.fromisoformat(value) if isinstance(value, str) else value).isoformat()
    except (ValueError, UnicodeEncodeError):
        pass
    raise InputError(f"{value!r} is not a value of the entity column {name}, which is {kind}")


_TO_ESCAPE = re.compile(ESCAPED)


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(lambda found: f"%{ord(found[0]):02X}", text) if text else NOTHING
