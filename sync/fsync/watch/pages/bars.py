"""The chart of a distribution: what values are, now and in the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from fsync.plan import Planned
from fsync.watch.check import Check, Verdict
from fsync.watch.distribution import Distribution
from fsync.watch.pages.chart import BLUE, GREY, LIGHT_BLUE, Chart, Json, in_percent, rounded, unit_of

#: up to so many labels below bars are all written
_LABELS: Final = 24
_LABEL_LENGTH: Final = 18
#: as many edges of bins are written, about
_EDGES: Final = 10
#: a bar that is so many times as long as all others is cut, or these could not be seen
_TOWER: Final = 10


def drift_chart(planned: Planned, checks: Iterable[Check], found: Distribution | None) -> Chart:
    drifts = [check for check in checks if check.signal == "drift"]
    title = ": ".join(["Drift", "; ".join(map(_found_by, drifts))] if drifts else ["Drift"])
    if found is None or not found.labels:
        return Chart("drift", title, _why_no_drift(planned, drifts))
    baseline = planned.monitors.drift_baseline.text
    sides = {f"baseline ({baseline})": found.before, "now": found.now}
    if found.online is not None:
        sides["now, online"] = found.online
    figure = _bars(found, sides)
    return Chart("drift", title, _how_told(found, figure), figure)


def _found_by(check: Check) -> str:
    if check.value is None or check.p is None:
        return f"{check.side} {check.verdict}"
    return f"{check.side} {check.verdict}, effect {check.value:.1%}, {check.told_p}"


def _why_no_drift(planned: Planned, drifts: Sequence[Check]) -> str:
    if planned.monitors.drift is None:
        return "Its values are not compared."
    if planned.feature.classification:
        return f"Its values are of a class ({', '.join(planned.feature.classification)}), and are shown to nobody."
    if unknown := [check.sentence for check in drifts if check.verdict is Verdict.UNKNOWN]:
        return f"Its values could not be compared: {unknown[0]}."
    return "Its values have not been compared yet."


def _bars(found: Distribution, sides: Mapping[str, Sequence[float]]) -> Json:
    """A figure of bars at the places of their labels, which are shown of the bar that is pointed at."""
    labels, ticks = _labels(found)
    traces = [
        {
            "type": "bar",
            "name": _plain(name),
            "x": list(range(len(shares))),
            "y": list(shares),
            "marker": {"color": color},
            "hovertemplate": "%{customdata}: %{y:.3~%}",
        }
        for (name, shares), color in zip(sides.items(), (GREY, BLUE, LIGHT_BLUE), strict=False)
    ]
    layout: Json = {
        "xaxis": {"tickmode": "array", **ticks, "showgrid": False, "zeroline": False},
        "yaxis": {"tickformat": "~%", "rangemode": "tozero"},
        "bargap": 0.2 if len(labels) > _LABELS else 0.45,
    }
    return {"data": traces, "layout": _cut(layout, labels, list(sides.values())), "labels": labels}


def _labels(found: Distribution) -> tuple[list[str], Json]:
    """What each bar stands for, and the ticks below them."""
    texts = _texts(found)
    if not found.is_binned:
        places = range(0, len(texts), math.ceil(len(texts) / _LABELS))
        return [_plain(text) for text in texts], _ticks([(place, _shortened(texts[place])) for place in places])
    labels = [f"{low} to {high}" for low, high in pairwise(texts)]
    places = range(0, len(texts), math.ceil(len(texts) / _EDGES))
    edges = _ticks([(place - 0.5, texts[place]) for place in places])
    return [f"up to {texts[1]}", *labels[1:], f"from {texts[-1]}"], edges


def _texts(found: Distribution) -> list[str]:
    numbers = [label for label in found.labels if not isinstance(label, str)]
    if found.kind != "age" or not numbers:
        return [label if isinstance(label, str) else _number(label) for label in found.labels]
    unit, length = unit_of(max(map(abs, numbers)))
    return [f"{_number(number / length)} {unit}" for number in numbers]


def _number(value: float) -> str:
    """Four digits of a number that people can read."""
    return f"{rounded(value, 4):,g}" if abs(value) < 1e6 else f"{value:.4g}"


def _ticks(ticks: Sequence[tuple[float, str]]) -> Json:
    return {"tickvals": [place for place, _ in ticks], "ticktext": [_plain(text) for _, text in ticks]}


def _shortened(text: str) -> str:
    return text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"


def _plain(text: str) -> str:
    """A text that Plotly writes as it is: it knows some tags, and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(layout: Json, labels: Sequence[str], sides: Sequence[Sequence[float]]) -> Json:
    """A layout in which a bar that towers above all others is cut, and says how long it is."""
    heights = [max(shares) for shares in zip(*sides, strict=True)]
    tower = max(range(len(heights)), key=heights.__getitem__)
    rest = max((height for place, height in enumerate(heights) if place != tower), default=0.0)
    if not 0 < rest * _TOWER < heights[tower]:
        return layout
    shares = ", ".join(in_percent(shares[tower]) for shares in sides)
    written = {
        "x": tower,
        "y": 1,
        "yref": "paper",
        "text": f"cut: {shares}",
        "xanchor": "left" if tower < len(labels) / 2 else "right",
        "yanchor": "top",
        "xshift": 26 if tower < len(labels) / 2 else -26,
        "showarrow": False,
    }
    layout["yaxis"] |= {"range": [0, 1.6 * rest]}
    return layout | {"annotations": [written]}


def _how_told(found: Distribution, figure: Json) -> str:
    """What bars show."""
    told = ["The share of values"]
    told.append("in each bin" if found.is_binned else "of each kind" if found.kind == "category" else "at each number")
    note = " ".join(told) + "."
    if found.kind != "category":
        note += " The first and the last bar hold what lies beyond, too."
    if "annotations" in figure["layout"]:
        note += " One bar is cut, so that the others can be seen."
    return note
