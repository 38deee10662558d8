"""What was watched as metrics of Prometheus: a file for its text collector, or a port to scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from fsync.errors import InputError
from fsync.watch.budget import DAYS, Budget
from fsync.watch.check import Check, Round

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector
else:
    Collector = object

_One = TypeVar("_One")

_OF_CHECK: Final = ("feature", "view", "owner", "signal", "side")
_OF_BUDGET: Final = ("feature", "view", "owner", "promise")

#: name, what it says, and its value of a check, None for none
_OF_CHECKS: Final[tuple[tuple[str, str, Callable[[Check], float | None]], ...]] = (
    ("fsync_watch_alert", "1 while the signal alerts.", lambda one: one.is_alert),
    ("fsync_watch_value", "What is held against the threshold: seconds, or a share.", lambda one: one.value),
    ("fsync_watch_threshold", "Where the signal alerts.", lambda one: one.threshold),
    ("fsync_watch_drift_q", "The p-value of drift among all features.", lambda one: one.q),
)
#: the same of a budget
_OF_BUDGETS: Final[tuple[tuple[str, str, Callable[[Budget], float | None]], ...]] = (
    ("fsync_watch_kept", f"The share of the last {DAYS} days that a promise was kept.", lambda one: one.kept),
    ("fsync_watch_budget_left", f"The share of the error budget of {DAYS} days that is left.", lambda one: one.left),
)


class Metrics(Collector):
    """The metrics of the last round; empty before the first."""

    def __init__(self) -> None:
        """Raises InputError when the library for it is not installed."""
        try:
            from prometheus_client import CollectorRegistry
        except ImportError as error:
            raise InputError("metrics need prometheus-client", "pip install 'fsync[watch]'") from error
        self._watched: Round | None = None
        self._budgets: Sequence[Budget] = ()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def update(self, watched: Round, budgets: Sequence[Budget]) -> None:
        """Take what a round came to."""
        self._watched, self._budgets = watched, budgets

    def write(self, path: Path) -> None:
        """Write a file, in one step. Raises InputError when it cannot be written."""
        from prometheus_client import write_to_textfile

        try:
            write_to_textfile(str(path), self._registry)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from error

    def serve(self, port: int) -> None:
        """Answer at /metrics of a port, from a thread of its own. Raises InputError for a port that is taken."""
        from prometheus_client import start_http_server

        try:
            start_http_server(port, registry=self._registry)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(
                f"port {port} cannot be served: {why}", "choose another one, from 1024 to 65535"
            ) from error

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus asks for; called by its library."""
        watched = self._watched
        if watched is None:
            return
        for name, told, of_check in _OF_CHECKS:
            yield _family(name, told, _OF_CHECK, watched.checks, of_check)
        for name, told, of_budget in _OF_BUDGETS:
            yield _family(name, told, _OF_BUDGET, self._budgets, of_budget)
        looked = "When it was looked, by the wall clock."
        yield _family("fsync_watch_timestamp_seconds", looked, (), [watched], lambda one: one.checked_at / 1000)


def _family(
    name: str, told: str, labels: Sequence[str], of: Iterable[_One], value: Callable[[_One], float | None]
) -> GaugeMetricFamily:
    """A metric of all that have a value."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, told, labels=labels)
    for one in of:
        if (number := value(one)) is not None:
            family.add_metric([str(getattr(one, label)) for label in labels], float(number))
    return family
