"""Freshness: how long ago the newest event was, or the build; online, how old the instant is that a store knows of."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.instant import to_text
from fsync.language.duration import Duration, in_words
from fsync.plan import Planned
from fsync.watch.check import Check, Side, Verdict
from fsync.watch.look import Look
from fsync.wire import TOLERANCE_MS


def freshness(look: Look) -> Iterator[Check]:
    """Features that promise it and are watched for it: offline, and online where the view is served."""
    for planned in look.view.features:
        promised, of = planned.feature.freshness, planned.monitors.freshness
        if promised is None or of is None:
            continue
        offline, online = look.offline, look.online
        since = offline.newest_event if of == "event" else offline.built_at
        if since is None:
            why = offline.problem or "there is no event at all"
            sentence = f"{planned.name} promises to be at most {promised} old, and {why}"
            threshold = promised.milliseconds / 1000
            yield Check.of(look.view, planned, "freshness", "offline", Verdict.ALERT, sentence, threshold=threshold)
        else:
            yield _check(
                look, planned, "offline", promised, since, "its newest event" if of == "event" else "its build"
            )
        # a store that does not answer is told by the availability
        if online is not None and online.as_of is not None:
            yield _check(look, planned, "online", promised, online.as_of, "what the store knows")


def _check(look: Look, planned: Planned, side: Side, promised: Duration, since: int, what: str) -> Check:
    lag = look.at - since
    is_late = lag > promised.milliseconds + TOLERANCE_MS
    age = f"{in_words(lag)} old" if lag >= 0 else "newer than the instant looked at"
    limit = f"more than the {promised} that are promised" if is_late else f"{promised} are promised"
    return Check.of(
        look.view,
        planned,
        "freshness",
        side,
        Verdict.ALERT if is_late else Verdict.OK,
        f"{what} is {age}, of {to_text(since)}: {limit}",
        value=lag / 1000,
        threshold=promised.milliseconds / 1000,
    )
