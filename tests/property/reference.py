"""What the features of spec.yml are, in plain Python, straight from the definition.

As of t a feature is made of what happened before t: an event at e counts in a window W when t - W <= e < t. With a
granularity, its value as of t is that as of the last multiple of it before t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Event:
    """One purchase. `at` is in milliseconds; None for an event without a time."""

    order_id: int
    at: int | None
    amount: Decimal | None
    channel: str | None


def in_order(events: Sequence[Event]) -> list[Event]:
    """The events that have a time, oldest first; those of one instant by their unique key."""
    return sorted((event for event in events if event.at is not None), key=lambda event: (event.at, event.order_id))


def within(events: Sequence[Event], t: int, window: int | None = None) -> list[Event]:
    """Those of the events that count as of t."""
    return [e for e in events if e.at is not None and e.at < t and (window is None or t - window <= e.at)]


def amounts(events: Sequence[Event]) -> list[Decimal]:
    return [event.amount for event in events if event.amount is not None]


def channels(events: Sequence[Event]) -> list[str]:
    return [event.channel for event in events if event.channel is not None]


def first(values: Sequence[Any]) -> Any:
    return values[0] if values else None


def last(values: Sequence[Any]) -> Any:
    return values[-1] if values else None


def stddev(values: Sequence[Decimal]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values, Decimal(0)) / len(values)
    squares = [(value - mean) ** 2 for value in values]
    return float((sum(squares, Decimal(0)) / (len(values) - 1)).sqrt())


def percentile(values: Sequence[Decimal], fraction: Decimal) -> float | None:
    if not values:
        return None
    ordered, number = sorted(values), fraction * (len(values) - 1)
    below, above = ordered[math.floor(number)], ordered[math.ceil(number)]
    return float(below + (number - math.floor(number)) * (above - below))


def exactly(events: Sequence[Event], t: int) -> dict[str, Any]:
    """The features of the view `property_` as of t. `events` are those of one entity, in order."""
    ever, year, month = within(events, t), within(events, t, 365 * DAY), within(events, t, 30 * DAY)
    day, second = within(events, t, DAY), within(events, t, SECOND)
    spent, spent_in_year = amounts(month), amounts(year)
    return {
        "p_count_1s": len(second),
        "p_count_1d": len(day),
        "p_amounts_1d": len(amounts(day)),
        "p_sum_30d": sum(spent),
        "p_avg_30d": float(sum(spent)) / len(spent) if spent else None,
        "p_min_365d": min(spent_in_year, default=None),
        "p_max_365d": max(spent_in_year, default=-1),
        "p_least_channel_30d": min(channels(month), default=None),
        "p_stddev_30d": stddev(spent),
        "p_median_30d": float(median(spent)) if spent else None,
        "p_most_365d": percentile(spent_in_year, Decimal("0.9")),
        "p_channels_30d": len(set(channels(month))),
        "p_first_channel_1d": first(channels(day)),
        "p_last_amount_30d": last(spent),
        "p_first_amount": first(amounts(ever)),
        "p_big_30d": len([amount for amount in spent if amount >= 5]),
        "p_lifetime_count": len(ever),
        "p_lifetime_sum": sum(amounts(ever)),
        "p_last_channel": last(channels(ever)),
        "p_last_channel_1d": last(channels(day)),
        "p_count_30d": len(month),
        "p_mean_30d": float(sum(spent)) / len(month) if month else None,
    }


def daily(events: Sequence[Event], t: int) -> dict[str, Any]:
    """The features of the view `property_daily` as of t: what they were at the last midnight before t."""
    midnight = (t - 1) // DAY * DAY
    ever, day = within(events, midnight), within(events, midnight, DAY)
    return {
        "d_count_1d": len(day),
        "d_sum_30d": sum(amounts(within(events, midnight, 30 * DAY))),
        "d_first_1d": first([event.order_id for event in day]),
        "d_last_1d": last([event.order_id for event in day]),
        "d_last_channel_2d": last(channels(within(events, midnight, 2 * DAY))),
        "d_median": float(median(amounts(ever))) if amounts(ever) else None,
    }
