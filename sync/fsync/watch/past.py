"""What the history of a period comes to: how promises were kept, and lines for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from fsync.instant import FIRST, to_datetime
from fsync.watch.check import Side, Signal


@dataclass(frozen=True)
class Point:
    """A check of the past, as far as a line in a picture needs it. `at` is epoch milliseconds."""

    at: int
    feature: str
    signal: Signal
    side: Side
    verdict: str
    value: float | None


@dataclass(frozen=True)
class Kept:
    """How one promise of a feature was kept over a period: of its freshness, or its availability.

    `kept` is a share from 0 to 1: of the time between checks that values were fresh (on both sides, where a store is
    watched), or of all probes that got one. `checks` is how many rounds it goes by.
    """

    feature: str
    view: str
    owner: str
    promise: Signal
    kept: float
    checks: int


def points_of(
    connection: duckdb.DuckDBPyConnection, table: str, within: str, since: int, until: int, most: int = 500
) -> tuple[Point, ...]:
    """The checks of a period, the oldest first; of each line about so many, evenly from all of it, and alerts.

    Args:
        within: which checks of the table are of the period, as a condition.
        since, until: when it begins and ends, in epoch milliseconds.
    """
    step = max(1, (until - since) // most)
    rows = connection.execute(
        f"""
        select
            epoch_ms(max(watched_at)), feature, signal, side,
            verdict = 'alert' as is_alert,
            arg_max(verdict, watched_at), arg_max_null(value, watched_at)
        from {table}
        where {within}
        group by feature, signal, side, is_alert, (epoch_ms(watched_at) - {since}) // {step}
        order by 1, 2, 3, 4
        """
    ).fetchall()
    return tuple(
        Point(at, feature, signal, side, verdict, value) for at, feature, signal, side, _, verdict, value in rows
    )


def kept_of(connection: duckdb.DuckDBPyConnection, table: str, within: str, until: int) -> tuple[Kept, ...]:
    """How promises were kept over a period, by feature and promise.

    What was seen holds until the next look, but at most three times as long as looks are usually apart: while nobody
    looked, nothing is known.

    Args:
        within: which checks of the table are of the period, as a condition.
        until: when it ends, in epoch milliseconds.
    """
    fresh = f"""
        with rounds as (
            select feature, view_name, owner, watched_at, bool_and(verdict <> 'alert') as is_fresh
            from {table}
            where signal = 'freshness' and {within}
            group by all
        ),
        gaps as (
            select *, epoch_ms(coalesce(lead(watched_at) over following, {instant_sql(until)}) - watched_at) as gap
            from rounds
            window following as (partition by feature order by watched_at)
        ),
        spans as (
            select *, least(gap, 3 * median(gap) filter (where gap > 0) over (partition by feature)) as span
            from gaps
        )
        select
            feature, arg_max(view_name, watched_at), arg_max(owner, watched_at), 'freshness',
            case
                when sum(span) > 0 then coalesce(sum(span) filter (where is_fresh), 0) / sum(span)
                else avg(is_fresh::integer)
            end,
            count(*)
        from spans
        group by feature
    """
    answered = f"""
        select
            feature, arg_max(view_name, watched_at), arg_max(owner, watched_at), 'availability',
            sum(value * counted) / sum(counted), count(distinct watched_at)
        from {table}
        where signal = 'availability' and value is not null and counted > 0 and {within}
        group by feature
    """
    rows = [*connection.execute(fresh).fetchall(), *connection.execute(answered).fetchall()]
    found = [Kept(row[0], row[1], row[2], row[3], kept=row[4], checks=row[5]) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.feature, one.promise)))


def instant_sql(milliseconds: int) -> str:
    """An instant as SQL, or the first there is."""
    return f"timestamp '{to_datetime(max(milliseconds, FIRST)).isoformat(sep=' ')}'"
