"""The page of a watch: one HTML file with an overview and a page per feature, which asks for nothing from elsewhere.

Texts, tables and verdicts are in the HTML itself, and the pages in it are told apart by CSS alone (`:target`); only
charts and the filter need JavaScript. What charts show is one block of JSON, and is drawn when a page is opened.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, TypeVar, get_args

from jinja2 import Environment, StrictUndefined, Template

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.plan import Plan, Planned, View
from fsync.watch.budget import DAYS, Budget
from fsync.watch.check import Check, Round, Side, Signal, Verdict
from fsync.watch.distribution import Distribution
from fsync.watch.pages.bars import drift_chart
from fsync.watch.pages.chart import Chart, Json, in_percent
from fsync.watch.pages.lines import Axes, freshness_chart, lines_of, nulls_chart
from fsync.watch.past import Point

#: the worst last
_VERDICTS: Final = (Verdict.OK, Verdict.UNKNOWN, Verdict.ALERT)

#: so many features of an alert are named at once
_NAMED: Final = 8

_Of = TypeVar("_Of", Check, Budget)


@dataclass(frozen=True)
class Alert:
    """An alert that features of a view have in common, by name: the same signal and side, in the same words."""

    view: str
    signal: Signal
    side: Side
    sentence: str
    features: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """Those that are named at once."""
        return self.features[:_NAMED]

    @property
    def others(self) -> tuple[str, ...]:
        return self.features[_NAMED:]


@dataclass(frozen=True)
class FeaturePage:
    """What the page shows of one feature. `verdicts` are the worst over both sides, None where nothing was seen."""

    view: View
    planned: Planned
    checks: tuple[Check, ...]
    verdicts: Mapping[Signal, Verdict | None]
    budgets: tuple[Budget, ...]
    charts: tuple[Chart, ...]

    @property
    def sla(self) -> str:
        """What is promised of it."""
        feature = self.planned.feature
        promises = [] if feature.freshness is None else [f"at most {feature.freshness} old"]
        promises += [] if feature.availability is None else [f"available {feature.availability} of the time"]
        return ", ".join(promises) or "nothing is promised"

    @property
    def verdict(self) -> Verdict | None:
        """The worst of all."""
        return _worst(self.checks)

    @property
    def tightest(self) -> Budget | None:
        """The budget of which the least is left; None where there is none."""
        return min((one for one in self.budgets if one.left is not None), key=lambda one: one.left or 0, default=None)


def check_plotly() -> None:
    """Raises InputError when plotly is not installed."""
    _plotly()


def page_html(
    project: str,
    plan: Plan,
    watched: Round,
    points: Sequence[Point],
    budgets: Sequence[Budget],
    distributions: Mapping[str, Distribution],
) -> str:
    """The page of a round of checks. Every text is escaped.

    Args:
        points: the checks of the past; those of the round are drawn with them, once.
        budgets: of any features, over `DAYS`.
        distributions: by feature, as far as there are any.

    Raises:
        InputError: when plotly is not installed.
    """
    plotly = _plotly()
    axes: Axes = {}
    pages = _pages(plan, watched, points, budgets, distributions, axes)
    figures = {page.planned.name: {chart.name: chart.figure for chart in page.charts} for page in pages}
    return _template().render(
        project=project,
        watched=watched,
        pages=pages,
        alerts=_alerts(watched),
        signals=_signals(watched),
        days=DAYS,
        data=_script({"axes": list(axes), "figures": figures}),
        plotly=plotly,
    )


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise InputError("the page needs plotly", "pip install 'fsync[watch]'") from error
    return str(get_plotlyjs())


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    promised = "{:.6g}%".format
    environment.filters |= {"percent": in_percent, "promised": lambda one: promised(100 * one), "instant": to_text}
    return environment.from_string(files("fsync.watch.pages").joinpath("page.html.j2").read_text(encoding="utf-8"))


def _script(data: Json) -> str:
    """JSON that stands in a script: without "<", nothing in it ends the script or begins a comment."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


# ---------------------------------------------------------------- what there is of each feature


def _pages(
    plan: Plan,
    watched: Round,
    points: Iterable[Point],
    budgets: Iterable[Budget],
    distributions: Mapping[str, Distribution],
    axes: Axes,
) -> tuple[FeaturePage, ...]:
    signals, checks, kept = _signals(watched), _by_feature(watched.checks), _by_feature(budgets)
    lines = lines_of(points, watched)
    return tuple(
        FeaturePage(
            view=view,
            planned=planned,
            checks=(found := checks.get(planned.name, ())),
            verdicts={signal: _worst(one for one in found if one.signal == signal) for signal in signals},
            budgets=kept.get(planned.name, ()),
            charts=(
                freshness_chart(planned, lines.get((planned.name, "freshness"), ()), axes),
                nulls_chart(planned, lines.get((planned.name, "null_ratio"), ()), axes),
                drift_chart(planned, found, distributions.get(planned.name)),
            ),
        )
        for view in plan.views
        for planned in view.features
    )


def _by_feature(found: Iterable[_Of]) -> Mapping[str, tuple[_Of, ...]]:
    by_feature = defaultdict[str, list[_Of]](list)
    for one in found:
        by_feature[one.feature].append(one)
    return {feature: tuple(of_feature) for feature, of_feature in by_feature.items()}


def _signals(watched: Round) -> tuple[Signal, ...]:
    """The signals that there is a check of, in their order; all of them where there is none."""
    seen = {check.signal for check in watched.checks}
    signals: tuple[Signal, ...] = get_args(Signal)
    return tuple(signal for signal in signals if signal in seen or not seen)


def _worst(checks: Iterable[Check]) -> Verdict | None:
    return max((check.verdict for check in checks), key=_VERDICTS.index, default=None)


def _alerts(watched: Round) -> tuple[Alert, ...]:
    """Alerts, those of one view in the same words as one."""
    found = defaultdict[tuple[str, Signal, Side, str], list[str]](list)
    for check in watched.alerts:
        found[check.view, check.signal, check.side, check.sentence].append(check.feature)
    return tuple(Alert(*key, tuple(features)) for key, features in found.items())
