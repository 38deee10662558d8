"""A feature: its form in YAML (`FeatureSpec`) and what it means (`Feature`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from sqlglot import exp

from fsync.language.duration import HOW_TO_WRITE, Duration, parse_duration
from fsync.language.transformations import Reach, Transformation
from fsync.spec.document import Written
from fsync.spec.monitors import MonitorsSpec
from fsync.spec.patterns import DURATION, HOW_TO_WRITE_PERCENTAGE, PERCENTAGE
from fsync.spec.strict import Strict

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,99}$"
HOW_TO_NAME: Final = "a name is lower-case letters, digits and underscores, and starts with a letter"

Default = bool | int | float | str
#: a class of values that may not go everywhere
Classification = Literal["pii", "pci"]


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _percentage(text: str) -> str:
    if re.fullmatch(PERCENTAGE, text) is None:
        raise ValueError(f"{text!r} is not a percentage such as '99.5%'")
    return text


def not_a_time(value: object) -> object:
    """A value where YAML should have read a day; raises ValueError for an instant."""
    if isinstance(value, datetime):
        raise ValueError("a date, without a time: 1997-01-01")
    return value


def _time_as_text(value: object) -> object:
    """YAML reads an unquoted 2024-01-31 as a date; here it is a text like any other."""
    return value.isoformat() if isinstance(value, date) else value


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
DurationText = Annotated[
    str,
    AfterValidator(_duration),
    Field(examples=["5m", "30d"], json_schema_extra={"pattern": DURATION, "patternErrorMessage": HOW_TO_WRITE}),
]
Percentage = Annotated[
    str,
    AfterValidator(_percentage),
    Field(
        examples=["99.5%"],
        json_schema_extra={"pattern": PERCENTAGE, "patternErrorMessage": HOW_TO_WRITE_PERCENTAGE},
    ),
]
Sql = Annotated[str, StringConstraints(min_length=1)]  # kept to the letter: faults point into it
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
#: digits after the point that a DOUBLE is cut to; 12 leave 19 before it within a DECIMAL
Scale = Annotated[int, Field(ge=0, le=12)]


class Sla(Strict):
    """What the owner promises to those who read the feature."""

    freshness: DurationText | None = Field(
        default=None, description="How old a value may be: readers are told `stale` of one that is older."
    )
    availability: Percentage | None = Field(default=None, description="Which share of reads is to get a value.")


class Backfill(Strict):
    """From when the values can be trusted, and why."""

    from_: Annotated[date, BeforeValidator(not_a_time)] = Field(
        alias="from", description="The first day whose values can be trusted.", examples=["1997-02-01"]
    )
    note: Text = Field(description="Why not before, in a sentence.", examples=["the data begins with January 1997"])


class Deprecated(Strict):
    """That a feature is on its way out: since when, why, and what stands in for it."""

    since: Annotated[date, BeforeValidator(not_a_time)] = Field(
        description="The day from which no new service is to read it.", examples=["2024-01-31"]
    )
    note: Text = Field(description="Why it goes, in a sentence.", examples=["it counts returns as purchases"])
    use: Name | None = Field(
        default=None, description="The feature to read instead.", examples=["user_30d_purchase_count"]
    )


class Declassify(Strict):
    """That a value is not of a class although it is made of values that are, and why."""

    classes: Annotated[list[Classification], Field(min_length=1)] = Field(
        description="The classes that it is not of.", examples=[["pii"]]
    )
    note: Text = Field(
        description="Why it gives nothing away, in a sentence.", examples=["the domain of an address names nobody"]
    )


class FeatureSpec(Strict):
    """One feature as YAML says it."""

    name: Name = Field(
        description="What it is called: lower-case letters, digits and underscores; unique in the project.",
        examples=["user_30d_spend"],
    )
    entity: Text | Annotated[list[Text], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = Field(
        description="Whose value it is: a column of the source, or a list of columns. Integer, text, UUID or date.",
        examples=["user_id", ["user_id", "product_id"]],
    )
    source: Text = Field(
        description="The dbt model, seed or snapshot that it reads, or a dbt source. dbt's YAML says its event time.",
        examples=["orders_stream", "shop.orders"],
    )
    transformation: Sql = Field(
        description="What it computes of the events before an instant; or an expression over features of its view.",
        examples=["window_count(30d)", "window_sum(amount, 30d)", "latest(quantity)", "user_30d_spend / 30"],
    )
    owner: Text = Field(description="Who answers for it.", examples=["growth-ml"])
    description: Text | None = Field(
        default=None,
        description="What it is and in which unit, for people; goes into dbt's documentation.",
        examples=["US dollars spent in the last 30 days."],
    )
    where: Sql | None = Field(
        default=None,
        description="A condition on the source's columns: only events that meet it count.",
        examples=["amount >= 100"],
    )
    view: Name | None = Field(
        default=None,
        description="The feature view that it is in, when the name made of entity and source is not wanted.",
        examples=["user_lifetime"],
    )
    every: DurationText | None = Field(
        default=None,
        description="The granularity: values change only at multiples of it since 1970. Without it they are exact.",
        examples=["1h", "1d"],
    )
    ttl: DurationText | None = Field(
        default=None,
        description="Of latest(…) alone: how long after its event a value counts.",
        examples=["30d"],
    )
    scale: Scale | None = Field(
        default=None,
        description="Of a DOUBLE column: how many digits after the point it is cut to, so that sums are exact.",
        examples=[6],
    )
    engines: Annotated[list[Literal["duckdb"]], Field(min_length=1)] | None = Field(
        default=None,
        description="[duckdb] allows SQL beyond the portable language, which only DuckDB gives its meaning.",
        examples=[["duckdb"]],
    )
    default: Annotated[Default | None, BeforeValidator(_time_as_text)] = Field(
        default=None,
        description="The value in the place of NULL. Counts and sums have none to replace: they are 0.",
        examples=[0],
    )
    sla: Sla | None = Field(
        default=None,
        description="What the owner promises: how fresh a value is, and how often there is one.",
        examples=[{"freshness": "1h", "availability": "99.5%"}],
    )
    monitors: MonitorsSpec | None = Field(
        default=None,
        description="What is watched of it, and when it alerts; what it does not say, the project does.",
        examples=[{"null_ratio": "20%", "drift": 0.001}],
    )
    pii: bool = Field(
        default=False,
        description="Whether values are personal: true is short for classification: [pii].",
        examples=[False, True],
    )
    classification: list[Classification] | None = Field(
        default=None,
        description="The classes that values are of, which may not go everywhere. [] is none.",
        examples=[["pii", "pci"]],
    )
    declassify: Declassify | None = Field(
        default=None,
        description="That a value is not of a class although it is made of values that are, and why.",
        examples=[{"classes": ["pii"], "note": "the domain of an address names nobody"}],
    )
    tags: list[Text] | None = Field(default=None, description="Words to find it by.", examples=[["spend"]])
    backfill: Backfill | None = Field(
        default=None,
        description="Since when values can be trusted, and why; features that a service reads say so.",
        examples=[{"from": "1997-02-01", "note": "the data begins with January 1997"}],
    )
    deprecated: Deprecated | None = Field(
        default=None,
        description="That it is on its way out: since when, why, and which feature to read instead.",
        examples=[{"since": "2024-01-31", "note": "it counts returns as purchases"}],
    )


@dataclass(frozen=True)
class Scalar:
    """A parsed SQL expression and the text it came from."""

    text: str
    node: exp.Expr


@dataclass(frozen=True)
class Call:
    """A transformation applied: `window_sum(amount, 30d)`.

    `column` is None for `window_count(30d)`. `window` is None where nothing is ever too old; that of `latest` is
    its ttl. `fraction` is set for percentiles alone.
    """

    transformation: Transformation
    reach: Reach
    column: exp.Expr | None
    window: Duration | None
    fraction: Decimal | None = None


@dataclass(frozen=True)
class Feature:
    """What one spec means. `call` is None for a derived feature, whose meaning is `expression` itself."""

    name: str
    entity: tuple[str, ...]
    source: str
    view: str
    owner: str
    expression: Scalar
    call: Call | None
    where: Scalar | None
    #: the granularity: values change only at multiples of it since the epoch; None for exact
    every: Duration | None
    ttl: Duration | None
    #: digits after the point that a DOUBLE column is quantised to
    scale: int | None
    #: the engines that it is written for; none for SQL that is portable
    engines: tuple[str, ...]
    default: Default | None
    description: str | None
    freshness: Duration | None
    availability: str | None
    #: what the spec says of it; None for nothing
    monitors: MonitorsSpec | None
    classification: tuple[str, ...]
    declassify: Declassify | None
    tags: tuple[str, ...]
    backfill: Backfill | None
    deprecated: Deprecated | None
    written: Written

    @property
    def definition(self) -> str:
        """The transformation as the person wrote it, on one line."""
        return " ".join(self.expression.text.split())

    @property
    def condition(self) -> str | None:
        """The `where` as the person wrote it, on one line."""
        return None if self.where is None else " ".join(self.where.text.split())

    @property
    def is_classed(self) -> bool:
        """Whether its spec says of which classes it is, if only of none."""
        return self.written.has("pii") or self.written.has("classification")

    @property
    def declassified(self) -> frozenset[str]:
        """The classes that its spec says, with a reason, that its value is not of."""
        return frozenset(self.declassify.classes if self.declassify is not None else ())

    @property
    def is_zero_when_empty(self) -> bool:
        """Whether the transformation itself makes 0 of an empty window."""
        return self.call is not None and self.call.transformation.is_zero_when_empty

    @property
    def is_ordered(self) -> bool:
        """Whether the value depends on the order of events, so that those of one instant need one."""
        return self.call is not None and self.call.transformation.is_ordered
