"""What a spec says of its monitors goes over what the project says, key by key."""

from __future__ import annotations

from typing import Any

import pytest

from fsync.instant import to_milliseconds
from fsync.spec.monitors import Baseline, Monitors, MonitorsSpec, read_baseline, read_share

DAY = 86_400_000


def _over(spec: dict[str, Any], project: dict[str, Any] | None = None) -> Monitors:
    of_project = MonitorsSpec.model_validate(project or {}).over(Monitors())
    return MonitorsSpec.model_validate(spec).over(of_project)


def test_nothing_said_is_what_the_project_says() -> None:
    assert _over({}) == Monitors()
    assert _over({}, {"null_ratio": "20%"}).null_ratio == 0.2


def test_what_is_said_goes_over_it() -> None:
    found = _over(
        {"null_ratio": "0%", "freshness": "build"}, {"null_ratio": "20%", "drift": 0.001, "severity": "error"}
    )
    assert (found.null_ratio, found.freshness, found.drift, found.severity) == (0.0, "build", 0.001, "error")


@pytest.mark.parametrize("off", ["off", False])  # as YAML reads it with quotes and without
def test_a_monitor_is_turned_off_and_on_again(off: object) -> None:
    nothing = {"freshness": off, "null_ratio": off, "drift": off, "availability": off}
    found = _over(nothing)
    assert (found.freshness, found.null_ratio, found.drift, found.availability) == (None, None, None, False)
    assert _over({"drift": 0.05, "freshness": "event"}, nothing).drift == 0.05


def test_a_baseline_is_before_or_a_day_or_a_training_set() -> None:
    now = to_milliseconds("1998-07-01")
    assert read_baseline("7d").instant(now) == now - 7 * DAY
    assert read_baseline("1998-01-01").instant(now) == to_milliseconds("1998-01-01")
    assert read_baseline("churn_model") == Baseline("churn_model", service="churn_model")
    assert read_baseline("churn_model").instant(now) is None


def test_shares_are_percentages() -> None:
    assert [read_share(text) for text in ("5%", "0%", "99.5 %", "100%")] == [0.05, 0, 0.995, 1]
    # the nearest number there is, so that 999 of 1,000 are as many as 99.9 %
    assert all(read_share(f"{n / 10}%") == n / 1_000 for n in range(1_001))
    for wrong in ("5", "-1%", "101%", 0.05, True, None):
        with pytest.raises(ValueError, match="percentage"):
            read_share(wrong)
