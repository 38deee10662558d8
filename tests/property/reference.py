"""What the features of spec.yml are, in plain Python, straight from the definition.

As of t a feature is made of what happened before t: an event at e counts in a window W when t - W <= e < t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


@dataclass(frozen=True)
class Event:
    """One purchase. `at` is in milliseconds; None for an event without a time."""

    order_id: int
    at: int | None
    amount: Decimal | None
    channel: str | None


#: the windows of spec.yml, for the boundaries that tests probe
WINDOWS = (1 * SECOND, 1 * DAY, 30 * DAY, 365 * DAY)


def values_as_of(events: Sequence[Event], t: int) -> dict[str, Any]:
    """Every feature as of t, from the events of one entity in any order."""

    def within(window: int | None = None, where: Callable[[Event], bool] = lambda _: True) -> list[Event]:
        return [
            event
            for event in events
            if event.at is not None and event.at < t and (window is None or t - window <= event.at) and where(event)
        ]

    def amounts(chosen: list[Event]) -> list[Decimal]:
        return [event.amount for event in chosen if event.amount is not None]

    def newest(chosen: list[Event]) -> Event | None:
        return max(chosen, key=lambda event: (event.at, event.order_id), default=None)

    month, big = amounts(within(30 * DAY)), within(30 * DAY, lambda event: (event.amount or 0) >= 5)
    year, day = amounts(within(365 * DAY)), within(1 * DAY)
    last_channel = newest([event for event in within() if event.channel is not None])
    return {
        "p_count_1s": len(within(1 * SECOND)),
        "p_count_1d": len(day),
        "p_amounts_1d": len(amounts(day)),
        "p_sum_30d": sum(month, Decimal(0)),
        "p_avg_30d": float(sum(month)) / len(month) if month else None,
        "p_min_365d": min(year, default=None),
        "p_max_365d": max(year, default=Decimal("-1")),
        "p_big_30d": len(big),
        "p_lifetime_count": len(within()),
        "p_lifetime_sum": sum(amounts(within()), Decimal(0)),
        "p_last_channel": last_channel.channel if last_channel else None,
        "p_count_30d": len(within(30 * DAY)),
        "p_mean_30d": float(sum(month)) / len(within(30 * DAY)) if within(30 * DAY) else None,
    }
