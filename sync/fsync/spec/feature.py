"""A feature: its form in YAML (`FeatureSpec`) and what it means (`Feature`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from sqlglot import exp

from fsync.language.duration import Duration, parse_duration
from fsync.language.transformations import Reach, Transformation
from fsync.spec.document import Written

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,99}$"
HOW_TO_NAME: Final = "a name is lower-case letters, digits and underscores, and starts with a letter"

#: Keys of the spec language that this version does not compile. They are refused rather than ignored.
NOT_YET: Final = frozenset({"monitors"})

Default = bool | int | float | str
#: a class of values that may not go everywhere
Classification = Literal["pii", "pci"]


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _percentage(text: str) -> str:
    try:
        share = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        share = Decimal(-1)
    if not text.endswith("%") or not 0 < share <= 100:
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
DurationText = Annotated[str, AfterValidator(_duration), Field(examples=["5m", "30d"])]
Percentage = Annotated[str, AfterValidator(_percentage), Field(examples=["99.5%"])]
Sql = Annotated[str, StringConstraints(min_length=1)]  # kept to the letter: faults point into it
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
#: digits after the point that a DOUBLE is cut to; 12 leave 19 before it within a DECIMAL
Scale = Annotated[int, Field(ge=0, le=12)]


class Strict(BaseModel):
    """A form that says no to what it does not know, and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Sla(Strict):
    """What the owner promises to those who read the feature."""

    freshness: DurationText | None = None
    availability: Percentage | None = None


class Backfill(Strict):
    """From when the values can be trusted, and why."""

    from_: Annotated[date, BeforeValidator(not_a_time), Field(alias="from")]
    note: Text


class Deprecated(Strict):
    """That a feature is on its way out: since when, why, and what stands in for it."""

    since: Annotated[date, BeforeValidator(not_a_time)]
    note: Text
    use: Name | None = None


class Declassify(Strict):
    """That a value is not of a class although it is made of values that are, and why."""

    classes: Annotated[list[Classification], Field(min_length=1)]
    note: Text


class FeatureSpec(Strict):
    """One feature as YAML says it."""

    name: Name
    entity: Text | Annotated[list[Text], Field(min_length=1)]
    source: Text
    transformation: Sql
    owner: Text
    description: Text | None = None
    where: Sql | None = None
    view: Name | None = None
    every: DurationText | None = None
    ttl: DurationText | None = None
    scale: Scale | None = None
    engines: Annotated[list[Literal["duckdb"]], Field(min_length=1)] | None = None
    default: Annotated[Default | None, BeforeValidator(_time_as_text)] = None
    sla: Sla | None = None
    pii: bool = False
    classification: list[Classification] | None = None
    declassify: Declassify | None = None
    tags: list[Text] | None = None
    backfill: Backfill | None = None
    deprecated: Deprecated | None = None


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
    def is_zero_when_empty(self) -> bool:
        """Whether the transformation itself makes 0 of an empty window."""
        return self.call is not None and self.call.transformation.is_zero_when_empty

    @property
    def is_ordered(self) -> bool:
        """Whether the value depends on the order of events, so that those of one instant need one."""
        return self.call is not None and self.call.transformation.is_ordered
