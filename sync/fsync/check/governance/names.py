"""`feature-name`: the name of a feature says whose it is, over which window, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from fsync.language.duration import UNITS, Duration
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Call, Feature
from fsync.spec.issue import Issue

_DURATION: Final = r"[0-9]+[smhdw]"
#: what stands for a window that is none
_WORDS: Final = {"lifetime": ("lifetime",), "latest": ("latest", "last", "current")}
_ANY_WORD: Final = ("lifetime", "latest", "last", "current", "first")


def names_follow_the_template(catalog: Catalog) -> Iterator[Issue]:
    template = catalog.policy.name_template
    for feature in catalog.features:
        found = _pattern(template, feature.entity).fullmatch(feature.name)
        window = found.groupdict().get("window") if found is not None else None
        if found is None or (window is not None and not _is_window_of(window, feature)):
            message = f"the name {feature.name!r} does not follow {template}"
            notes = (f"for example {example_name(template, feature)!r}",)
            yield Issue("feature-name", message, feature.written.place("name"), notes)


@lru_cache(maxsize=256)
def _pattern(template: str, entity: tuple[str, ...]) -> re.Pattern[str]:
    whose = sorted({_whose(entity), "_".join(entity)}, key=len, reverse=True)
    parts = {
        "<entity>": f"(?:{'|'.join(map(re.escape, whose))})",
        "<window>": f"(?P<window>{_DURATION}|{'|'.join(_ANY_WORD)})",
        "<what>": "[a-z0-9_]+",
    }
    return re.compile("".join(parts.get(piece, re.escape(piece)) for piece in re.split(r"(<\w+>)", template)))


def _whose(entity: tuple[str, ...]) -> str:
    """An entity in a name: `user` for user_id."""
    return "_".join(column.removesuffix("_id") or column for column in entity)


def _is_window_of(word: str, feature: Feature) -> bool:
    """Whether the name's window is the feature's own; a derived feature may name any."""
    call = feature.call
    if call is None:
        return True
    if call.reach == "window":
        return call.window is not None and word in _spellings(call.window)
    return word in _WORDS[call.reach] or word == call.transformation.name


def _spellings(window: Duration) -> Iterator[str]:
    """The ways to write a window: 28d, 672h and 4w are one."""
    milliseconds = window.milliseconds
    return (f"{milliseconds // of_unit}{unit}" for unit, of_unit in UNITS.items() if milliseconds % of_unit == 0)


def example_name(template: str, feature: Feature) -> str:
    """A name that follows the template, for a feature that has another."""
    window = window_word(feature.call)
    what = feature.name.removeprefix(f"{_whose(feature.entity)}_") or "value"
    for word in (*_ANY_WORD, window):
        what = what.removeprefix(f"{word}_")
    what = re.sub(rf"^{_DURATION}_|_{_DURATION}$", "", what)
    return name_of(template, feature.entity, window, what)


def window_word(call: Call | None) -> str:
    """What stands in a name for how far back a feature looks: `30d`, `lifetime`, `latest`."""
    if call is None:
        return "lifetime"
    return str(call.window) if call.reach == "window" else _WORDS[call.reach][0]


def name_of(template: str, entity: tuple[str, ...], window: str, what: str) -> str:
    """The name that a template makes of its parts."""
    return template.replace("<entity>", _whose(entity)).replace("<window>", window).replace("<what>", what)
