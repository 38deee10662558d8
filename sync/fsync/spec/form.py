"""What is wrong with the form of a spec: pydantic's errors as issues with a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fsync.language.duration import HOW_TO_WRITE
from fsync.language.suggest import did_you_mean
from fsync.spec.document import Path, Written
from fsync.spec.feature import HOW_TO_NAME, NAME_PATTERN, FeatureSpec
from fsync.spec.issue import Issue
from fsync.spec.monitors import MonitorsSpec
from fsync.spec.service import ServiceSpec
from fsync.spec.strict import Strict


@dataclass(frozen=True)
class Form:
    """What a kind of spec looks like, in words for people."""

    noun: str
    #: its keys, and those of the mappings among them
    keys: tuple[str, ...]
    inner_keys: tuple[str, ...]
    #: what stands under a key, where it is not a text
    expected: Mapping[str, str]
    #: of each key that must be there: what it is for, and an example
    examples: Mapping[str, str]


FEATURE: Final = Form(
    noun="feature",
    keys=tuple(field.alias or name for name, field in FeatureSpec.model_fields.items()),
    inner_keys=("freshness", "availability", "from", "note", "since", "use", "classes", *MonitorsSpec.model_fields),
    expected={
        "entity": "a column name or a list of column names",
        "default": "a number, a text, true or false",
        "pii": "true or false",
        "classification": "a list of: pii, pci",
        "tags": "a list of texts",
        "every": "a duration such as 1h",
        "ttl": "a duration such as 30d",
        "engines": "a list of: duckdb",
        "scale": "a whole number of digits from 0 to 12",
        "sla": "a mapping with freshness and availability",
        "freshness": "a duration such as 5m",
        "availability": "a percentage such as 99.5%",
        "monitors": "a mapping of monitors to their thresholds, each of which can be off",
        "severity": "one of: warn, error",
        "backfill": "a mapping with from (a date) and note",
        "from": "a date such as 1997-01-01",
        "deprecated": "a mapping with since (a date), note and use (a feature)",
        "since": "a date such as 1997-01-01",
        "declassify": "a mapping with classes and note",
        "classes": "a list of: pii, pci",
    },
    examples={
        "name": "what it is called: name: user_30d_spend",
        "entity": "whose value it is, a column of the source: entity: user_id",
        "source": "the dbt model or source it reads: source: orders_stream",
        "transformation": "what it computes: transformation: window_sum(amount, 30d)",
        "owner": "who answers for it: owner: growth-ml",
    },
)

#: as many characters as NAME_PATTERN lets a name have
LONGEST_NAME: Final = 100


def _mapping_keys() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, field in FeatureSpec.model_fields.items():
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, Strict):
                yield name, tuple(field.alias or key for key, field in inner.model_fields.items())


#: the keys whose values are mappings → the keys of these
_MAPPINGS: Final = dict(_mapping_keys())

SERVICE: Final = Form(
    noun="service",
    keys=tuple(ServiceSpec.model_fields),
    inner_keys=(),
    expected={
        "features": "a list of names of features",
        "external": "a list of names of what the model reads from elsewhere",
        "since": "a date such as 1997-01-01",
    },
    examples={
        "name": "what it is called: name: churn_model",
        "owner": "who answers for the model: owner: growth-ml",
        "features": "what the model reads, in its order: features: [user_30d_spend, user_lifetime_spend]",
    },
)


def faults_of_form(
    error: ValidationError, given: Mapping[str, Any], written: Written, form: Form = FEATURE
) -> Iterable[Issue]:
    """Every fault of one spec's form. `given` is the spec with its defaults, as YAML says it."""
    # a union reports one error for each of its members: that of the member that was meant says enough
    seen: dict[tuple[object, ...], Issue] = {}
    for details in error.errors(include_url=False):
        location = details["loc"]
        if location[0] in ("entity", "default") and len(location) > 1:
            is_of_list = str(location[1]).startswith("list")
            if location[0] == "entity" and isinstance(given["entity"], list) != is_of_list:
                continue
            location = (location[0], *location[2:])  # without the name of the member
        seen.setdefault(location, _issue({**details, "loc": location}, given, written, form))
    return seen.values()


def faults_of_texts(given: Mapping[str, Any], written: Written) -> Iterator[Issue]:
    """Texts that dbt would not give back as they are. `given` is a spec with its defaults, of whatever form."""
    for key, value in given.items():
        for below, text in _texts(value, 2):
            path = (*written.path(str(key)), *below)
            if (control := _CONTROL.search(text)) is not None:
                message = f"{key!r} has the control character U+{ord(control[0]):04X}, which dbt does not keep"
                yield Issue("bad-text", message, written.document.place(path), ("leave it away",))
            elif _MARK in text:
                yield Issue("bad-text", f"dbt refuses {_MARK} in a comment", written.document.place(path))


def _texts(value: object, depth: int) -> Iterator[tuple[Path, str]]:
    """The texts in a value, each with the way to it, as far down as forms have any."""
    if isinstance(value, str):
        yield (), value
    elif depth and isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from (((key, *way), text) for way, text in _texts(inner, depth - 1))


#: files are read with their line breaks made one kind, and Jinja does the same
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: what dbt puts around the comments of columns
_MARK: Final = "$dbt_comment_literal_block$"


def _issue(details: ErrorDetails, given: Mapping[str, Any], written: Written, form: Form) -> Issue:
    """pydantic's error as ours."""
    location, kind = details["loc"], details["type"]
    top = str(location[0])
    # a list's location goes on with an index
    key = str(location[1]) if top in _MAPPINGS and len(location) > 1 else top
    path = (*written.path(top), *location[1:])
    subject = f"{form.noun} {given['name']!r}" if isinstance(given.get("name"), str) else f"this {form.noun}"
    document = written.document
    if kind == "missing":
        missing = str(location[-1])
        if len(location) > 1:
            return Issue("missing-key", f"{top!r} needs {missing!r}", document.place(written.path(top)))
        place = document.place((*written.base, "name"))
        return Issue("missing-key", f"{subject} has no {missing!r}", place, (form.examples[missing],))
    if kind == "extra_forbidden":
        unknown = str(location[-1])
        is_inner = len(location) > 1 and top in _MAPPINGS
        what = repr(top) if is_inner else f"a {form.noun}"
        known = _MAPPINGS[top] if is_inner else form.keys if len(location) == 1 else form.inner_keys
        notes = did_you_mean(unknown, known) or _stands_under(unknown, form) or (f"there are: {', '.join(known)}",)
        if unknown.endswith(")"):  # the rest of a call, cut at its comma
            notes = ("between { and } a comma ends a value: put the text in quotes",)
        return Issue("unknown-key", f"{what} has no key {unknown!r}", document.key_place(path), notes)
    place = document.place(path)
    if kind == "invalid_key":
        message = f"a key is a text, and YAML reads this one as {_describe(details['input'])}"
        return Issue("wrong-type", message, document.place(written.base or ("name",)), ("put it in quotes",))
    if kind == "string_pattern_mismatch":
        what = "a view" if key == "view" else "a name"
        return Issue("bad-name", f"{details['input']!r} cannot be {what}", place, _how_to_name(details["input"]))
    if kind == "value_error":
        message = str(details["msg"]).removeprefix("Value error, ")
        if {"freshness", "every", "ttl"} & set(location) and "monitors" not in location:
            return Issue("bad-duration", message, place, (HOW_TO_WRITE,))
        return Issue("bad-value", message, place)
    if kind in ("string_too_short", "too_short"):
        return Issue("bad-value", f"{key!r} is empty", place)
    expected = form.expected.get(key, "a text")
    message = f"{key!r} must be {expected}, and is {_describe(details['input'])}"
    return Issue("wrong-type", message, place, _how_to_write(expected, details["input"]))


def _stands_under(unknown: str, form: Form) -> tuple[str, ...]:
    """A note on a key that is there, but under another one."""
    found = [name for name, keys in _MAPPINGS.items() if unknown in keys and name in form.keys]
    return (f"it stands under {found[0]!r}: {found[0]}: {{{unknown}: …}}",) if found else ()


def _how_to_name(given: str) -> tuple[str, ...]:
    if len(given) > LONGEST_NAME:
        return (f"a name has at most {LONGEST_NAME} characters, and this has {len(given)}",)
    plain = re.sub(r"\W+", "_", given.lower()).strip("_")
    near = (f"did you mean {plain!r}?",) if re.fullmatch(NAME_PATTERN, plain) else ()
    return (HOW_TO_NAME, *near)


def _how_to_write(expected: str, given: object) -> tuple[str, ...]:
    """How to mend a value of a type that YAML gave it."""
    if expected.startswith("a duration"):
        return (HOW_TO_WRITE,)
    if expected.startswith("a date") and isinstance(given, str):
        return ("without quotes",)
    if expected not in ("a text", "a list of texts") or not isinstance(given, int | float | date):
        return ()
    read = "YAML reads yes and no, on and off as true and false: " if isinstance(given, bool) else ""
    return (f"{read}put it in quotes",)


def _describe(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    kind = _KINDS.get(type(value), type(value).__name__)
    if not isinstance(value, str | int | float | date):
        return f"a {kind}"
    written = repr(value) if isinstance(value, str) else str(value)
    return f"the {kind} {written}" if len(written) < 42 else f"a {kind}"


_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "number",
    float: "number",
    datetime: "time",
    bytes: "binary text",
}
