"""Charts over time: how old values were, and how many were missing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fsync.language.duration import in_words
from fsync.plan import Planned
from fsync.watch.check import Round, Side, Signal, Verdict
from fsync.watch.pages.chart import BLUE, LIGHT_BLUE, ORANGE, Chart, Json, rounded, unit_of
from fsync.watch.past import Point
from fsync.wire import TOLERANCE_MS

_LINES: Final[Mapping[Side, Mapping[str, Any]]] = {
    "offline": {"color": BLUE, "width": 2},
    "online": {"color": LIGHT_BLUE, "width": 2, "dash": "dot"},
}
#: up to so many points, each is marked
_MARKED: Final = 60

#: the instants of lines, once each, and their numbers: lines of one round have the same ones
Axes = dict[tuple[int, ...], int]


@dataclass(frozen=True)
class Line:
    """A signal of one side over time: instants in epoch milliseconds, the oldest first, with values or None.

    `alerts` are the places of those that alerted.
    """

    side: Side
    at: tuple[int, ...]
    values: tuple[float | None, ...]
    alerts: tuple[int, ...]

    @property
    def known(self) -> tuple[float, ...]:
        return tuple(value for value in self.values if value is not None)


Lines = Sequence[Line]


def lines_of(points: Iterable[Point], watched: Round) -> Mapping[tuple[str, Signal], Lines]:
    """The lines of each feature and signal, offline before online."""
    found = defaultdict[tuple[str, Signal, Side], dict[int, tuple[float | None, str]]](dict)
    for point in points:
        found[point.feature, point.signal, point.side][point.at] = point.value, point.verdict
    for check in watched.checks:
        found[check.feature, check.signal, check.side][watched.at] = check.value, check.verdict
    lines = defaultdict[tuple[str, Signal], list[Line]](list)
    for feature, signal, side in sorted(found):
        lines[feature, signal].append(_line(side, found[feature, signal, side]))
    return lines


def _line(side: Side, seen: Mapping[int, tuple[float | None, str]]) -> Line:
    at = tuple(sorted(seen))
    values = tuple(None if (value := seen[one][0]) is None or not math.isfinite(value) else value for one in at)
    alerts = tuple(place for place, one in enumerate(at) if seen[one][1] == Verdict.ALERT)
    return Line(side, at, values, alerts)


def freshness_chart(planned: Planned, lines: Lines, axes: Axes) -> Chart:
    promised = planned.feature.freshness
    known = [value for line in lines for value in line.known]
    if not known:
        return Chart("freshness", "Freshness", _why_no_freshness(planned))
    allowed = None if promised is None else (promised.milliseconds + TOLERANCE_MS) / 1000
    unit, length = unit_of(max(known) if allowed is None else max(allowed, *known))
    figure = _over_time(lines, axes, length, f"%{{y:,.3~r}} {unit}")
    figure["layout"]["yaxis"] |= {"ticksuffix": f" {unit}", "range": _range([*known, allowed or 0], length)}
    if allowed is not None:
        figure["layout"]["shapes"] = [_limit(allowed / length, f"allowed: {promised} + {in_words(TOLERANCE_MS)}")]
    since = "the build" if planned.monitors.freshness == "build" else "the newest event"
    ages = {"offline": f"of {since} (offline)", "online": "of what the store knew (online)"}
    return Chart(
        "freshness", "Freshness", f"Age {' and '.join(ages[line.side] for line in lines)}. {_told(lines)}", figure
    )


def nulls_chart(planned: Planned, lines: Lines, axes: Axes) -> Chart:
    known = [value for line in lines for value in line.known]
    if not known:
        return Chart("null_ratio", "Null ratio", _why_no_nulls(planned, lines))
    most = planned.monitors.null_ratio
    figure = _over_time(lines, axes, 1, "%{y:.3~%}")
    figure["layout"]["yaxis"] |= {"tickformat": "~%", "range": _range([*known, most or 0], 1)}
    if most is not None:
        figure["layout"]["shapes"] = [_limit(most, f"at most {100 * most:.4g}%")]
    return Chart("null_ratio", "Null ratio", f"Entities that should have a value and have none. {_told(lines)}", figure)


def _why_no_freshness(planned: Planned) -> str:
    if planned.feature.freshness is None:
        return "Its SLA promises no freshness, so there is none to watch."
    if planned.monitors.freshness is None:
        return "Its freshness is not watched."
    return "Its freshness has not been seen yet."


def _why_no_nulls(planned: Planned, lines: Lines) -> str:
    if planned.is_never_null:
        return "It is never NULL, so there is no share of NULLs to watch."
    if planned.monitors.null_ratio is None:
        return "Its NULLs are not watched."
    return "Its NULLs could not be counted, as its check says." if lines else "Its NULLs have not been counted yet."


def _told(lines: Lines) -> str:
    """How many of the points that are drawn alerted."""
    return f"Alerts: {', '.join(f'{len(line.alerts):,} of {len(line.at):,} points {line.side}' for line in lines)}."


def _range(values: Sequence[float], length: float) -> list[float]:
    low, high = min(0.0, *values) / length, max(values) / length
    return [1.1 * low, 1.18 * high if high > 0 else 1.0]


def _over_time(lines: Lines, axes: Axes, length: float, hover: str) -> Json:
    """A figure of lines. The `x` of each is the number of its instants among the axes."""
    traces = [_trace(line, axes, length, hover) for line in lines if line.known]
    if late := [_mark(line, length) for line in lines if any(line.values[place] is not None for place in line.alerts)]:
        traces.append(_marks(late))
    xaxis = {"type": "date", "hoverformat": "%Y-%m-%d %H:%M UTC"} | _period(lines)
    layout = {"hovermode": "x unified", "xaxis": xaxis, "yaxis": {}}
    return {"data": traces, "layout": layout}


def _period(lines: Lines) -> Json:
    """The range of instants, with room for what is marked at its ends; Plotly's own for a single one."""
    first, last = min(line.at[0] for line in lines), max(line.at[-1] for line in lines)
    room = (last - first) // 80
    return {"range": [first - room, last + room]} if first < last else {}


def _trace(line: Line, axes: Axes, length: float, hover: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(line.at) <= _MARKED else "lines",
        "name": line.side,
        "x": axes.setdefault(line.at, len(axes)),
        "y": [None if value is None else rounded(value / length, 3) for value in line.values],
        "line": _LINES[line.side],
        "marker": {"size": 5},
        "hovertemplate": hover,
    }


def _mark(line: Line, length: float) -> tuple[list[int], list[float]]:
    places = [(line.at[place], value) for place in line.alerts if (value := line.values[place]) is not None]
    return [at for at, _ in places], [rounded(value / length, 3) for _, value in places]


def _marks(late: Sequence[tuple[list[int], list[float]]]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "alert",
        "x": [at for instants, _ in late for at in instants],
        "y": [value for _, values in late for value in values],
        "marker": {"color": ORANGE, "size": 6, "symbol": "diamond"},
        "hoverinfo": "skip",
    }


def _limit(y: float, text: str) -> Json:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": ORANGE, "width": 1.5, "dash": "dash"},
        "name": text,
        "showlegend": True,
    }
