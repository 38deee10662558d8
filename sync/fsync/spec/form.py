"""What is wrong with the form of a spec: pydantic's errors as issues with a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fsync.language.duration import HOW_TO_WRITE
from fsync.language.suggest import did_you_mean
from fsync.spec.document import Written
from fsync.spec.feature import HOW_TO_NAME, NOT_YET, FeatureSpec
from fsync.spec.issue import Issue
from fsync.spec.service import ServiceSpec


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
    #: keys of the language that this version does not compile
    not_yet: frozenset[str] = frozenset()


FEATURE: Final = Form(
    noun="feature",
    keys=tuple(field.alias or name for name, field in FeatureSpec.model_fields.items()),
    inner_keys=("freshness", "availability", "from", "note", "since", "use", "classes"),
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
    not_yet=NOT_YET,
)

#: the keys whose values are mappings of keys of their own
_MAPPINGS: Final = ("sla", "backfill", "deprecated", "declassify")

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
    # a union reports one error for each of its members: one for each key says enough
    seen: dict[tuple[object, ...], Issue] = {}
    for details in error.errors(include_url=False):
        location = details["loc"]
        is_union = location[0] in ("entity", "default")
        seen.setdefault(location[:1] if is_union else location, _issue(details, given, written, form))
    return seen.values()


def _issue(details: ErrorDetails, given: Mapping[str, Any], written: Written, form: Form) -> Issue:
    """pydantic's error as ours."""
    location, kind = details["loc"], details["type"]
    top = str(location[0])
    # a union's location goes on with the name of one of its members, a list's with an index
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
        if len(location) == 1 and unknown in form.not_yet:
            message = f"{unknown!r} is part of the spec language, but this version cannot compile it yet"
            return Issue("not-yet", message, document.key_place(path))
        known = form.keys if len(location) == 1 else form.inner_keys
        notes = did_you_mean(unknown, known) or (f"there are: {', '.join(form.keys)}",)
        if unknown.endswith(")"):  # the rest of a call, cut at its comma
            notes = ("between { and } a comma ends a value: put the text in quotes",)
        return Issue("unknown-key", f"a {form.noun} has no key {unknown!r}", document.key_place(path), notes)
    place = document.place(path)
    if kind == "invalid_key":
        message = f"a key is a text, and YAML reads this one as {_describe(details['input'])}"
        return Issue("wrong-type", message, document.place(written.base or ("name",)), ("put it in quotes",))
    if kind == "string_pattern_mismatch":
        return Issue("bad-name", f"{details['input']!r} cannot be a {top}", place, (HOW_TO_NAME,))
    if kind == "value_error":
        message = str(details["msg"]).removeprefix("Value error, ")
        if {"freshness", "every", "ttl"} & set(location):
            return Issue("bad-duration", message, place, (HOW_TO_WRITE,))
        return Issue("bad-value", message, place)
    if kind in ("string_too_short", "too_short"):
        return Issue("bad-value", f"{key!r} is empty", place)
    expected = form.expected.get(key, "a text")
    return Issue("wrong-type", f"{key!r} must be {expected}, and is {_describe(details['input'])}", place)


def _describe(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 40 else "a text"
    return f"the {'number' if isinstance(value, int | float) else type(value).__name__} {value}"
