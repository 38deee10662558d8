"""What is watched of a feature, and when it alerts: `monitors:` of a spec, over those of the project.

    monitors: { freshness: build, null_ratio: 20%, drift: 0.001, drift_baseline: 7d, severity: error }

Each of the first three keys has its threshold, or `off`. What a spec does not say, `vars.fsync.monitors` of
dbt_project.yml says for the whole project; what that does not say, `Monitors` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from fsync.instant import FIRST, to_milliseconds
from fsync.language.duration import Duration, parse_duration
from fsync.spec.patterns import DATE, DURATION, HOW_TO_WRITE_SHARE, SHARE
from fsync.spec.strict import Strict

Severity = Literal["warn", "error"]
Freshness = Literal["event", "build"]

#: what is not watched. YAML reads an unquoted off as false
OFF: Final = "off"
_NAME: Final = r"^[a-z][a-z0-9_]*$"
_HOW_TO_WRITE_BASELINE: Final = (
    "a baseline is how long before (28d), a day (1998-01-01), or the service whose training set it is (churn_model)"
)


@dataclass(frozen=True)
class Baseline:
    """What values are compared with: those of so long before, those of one instant, or a service's training set.

    One of the three is set; `text` is how it is written. `at` is epoch milliseconds.
    """

    text: str
    before: Duration | None = None
    at: int | None = None
    service: str | None = None

    def instant(self, now: int) -> int | None:
        """The instant that it is of, watching at another one; None for a training set."""
        return self.at if self.before is None else max(now - self.before.milliseconds, FIRST)


@dataclass(frozen=True)
class Monitors:
    """What is watched of one feature; None is not watched.

    `freshness` is what its age counts from: the newest event, or the build. `null_ratio` and `drift` are thresholds
    from 0 to 1: of the share of NULLs, and of the p-value. A change that fewer than `drift_effect` of the values take
    part in is none, however sure it is. `severity` is that of the data tests.
    """

    freshness: Freshness | None = "event"
    null_ratio: float | None = 0.05
    drift: float | None = 0.01
    drift_effect: float = 0.05
    # whole weeks, so that the days of the week are the same
    drift_baseline: Baseline = Baseline("28d", before=Duration(28 * 86_400_000))
    availability: bool = True
    severity: Severity = "warn"


def read_share(value: object) -> float:
    """`5%` as 0.05; 0% is one too. Raises ValueError for another thing."""
    if not isinstance(value, str) or re.fullmatch(SHARE, value) is None:
        raise ValueError(f"{value!r} is not a percentage such as '5%'")
    # read as it is written: divided by 100, 99.9 would be more than 0.999
    return float(f"{value.strip().removesuffix('%').strip()}e-2")


def read_baseline(value: object) -> Baseline:
    """A baseline as a spec says it. Raises ValueError for what is none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return Baseline(value.isoformat(), at=to_milliseconds(value))
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(DATE, text):
            return Baseline(text, at=to_milliseconds(text))
        if re.fullmatch(_NAME, text):
            return Baseline(text, service=text)
        if re.fullmatch(DURATION, text):
            return Baseline(text, before=parse_duration(text))
    raise ValueError(f"{value} is no baseline: {_HOW_TO_WRITE_BASELINE}")


def _share_above_zero(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"{value!r} is not a number between 0 and 1")
    return float(value)


def _or_off(read: Callable[[object], Any]) -> Callable[[object], Any]:
    """A reader that also takes `off`, as YAML reads it with and without quotes; None then, as for nothing said."""

    def or_off(value: object) -> Any:
        if value is False or value == OFF:
            return OFF
        return read(value)

    return or_off


def _only_off(value: object) -> None:
    raise ValueError(f"{value!r} is not: off; its limit is that of the SLA")


def _freshness(value: object) -> Freshness:
    if value == "event" or value == "build":
        return value  # type: ignore[return-value]  # one of the two
    raise ValueError(f"{value!r} is not one of: event, build, off")


_OFF_SCHEMA: Final = {"enum": [OFF, False]}
_NUMBER_SCHEMA: Final = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SHARE_SCHEMA: Final = {"type": "string", "pattern": SHARE, "patternErrorMessage": HOW_TO_WRITE_SHARE}
_BASELINE_SCHEMA: Final = {
    "type": "string",
    "anyOf": [{"pattern": pattern} for pattern in (DURATION, DATE, _NAME)],
    "patternErrorMessage": _HOW_TO_WRITE_BASELINE,
}


class MonitorsSpec(Strict):
    """What is watched of a feature, and when it alerts."""

    freshness: Annotated[
        Any, PlainValidator(_or_off(_freshness)), WithJsonSchema({"enum": ["event", "build", OFF, False]})
    ] = Field(
        default=None,
        description="What the age of a value counts from: the newest event, or the build; its limit is the SLA.",
        examples=["event", "build", "off"],
    )
    null_ratio: Annotated[
        Any, PlainValidator(_or_off(read_share)), WithJsonSchema({"anyOf": [_SHARE_SCHEMA, _OFF_SCHEMA]})
    ] = Field(
        default=None, description="The largest share of NULLs where there should be a value.", examples=["5%", "off"]
    )
    drift: Annotated[
        Any, PlainValidator(_or_off(_share_above_zero)), WithJsonSchema({"anyOf": [_NUMBER_SCHEMA, _OFF_SCHEMA]})
    ] = Field(
        default=None,
        description="The p-value below which values are said to be distributed in another way than the baseline's.",
        examples=[0.01, "off"],
    )
    drift_effect: Annotated[Any, PlainValidator(_share_above_zero), WithJsonSchema(_NUMBER_SCHEMA)] = Field(
        default=None,
        description="The least change that counts, however sure: the share of values that take part in it.",
        examples=[0.05],
    )
    drift_baseline: Annotated[Any, PlainValidator(read_baseline), WithJsonSchema(_BASELINE_SCHEMA)] = Field(
        default=None,
        description="What to compare with: so long before, a day, or the training set of a service.",
        examples=["28d", "1998-01-01", "churn_model"],
    )
    availability: Annotated[Any, PlainValidator(_or_off(_only_off)), WithJsonSchema(_OFF_SCHEMA)] = Field(
        default=None, description="off: the availability of its SLA is not watched.", examples=["off"]
    )
    severity: Severity | None = Field(
        default=None, description="Whether dbt's tests of it warn or fail.", examples=["warn", "error"]
    )

    def over(self, monitors: Monitors) -> Monitors:
        """What it says, and what others say where it says nothing."""
        said = {field.name: getattr(self, field.name) for field in fields(Monitors)}
        read = {name: _watched(name, value) for name, value in said.items() if value is not None}
        return replace(monitors, **read)


def _watched(name: str, value: Any) -> Any:
    if value != OFF:
        return value
    return False if name == "availability" else None
