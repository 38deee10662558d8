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
        if offline.problem is not None:
            yield _check(look, planned, "offline", promised, None, offline.problem)
        elif of == "event":
            yield _check(look, planned, "offline", promised, offline.newest_event, "its newest event")
        else:
            yield _check(look, planned, "offline", promised, offline.built_at, "its build")
        # a store that does not answer is told by the availability
        if online is not None and online.as_of is not None:
            yield _check(look, planned, "online", promised, online.as_of, "what the store knows")


def _check(look: Look, planned: Planned, side: Side, promised: Duration, since: int | None, what: str) -> Check:
    name, allowed = planned.name, promised.milliseconds + TOLERANCE_MS
    lag = None if since is None else look.at - since
    if since is None or lag is None:
        there_is = "there is no event at all" if look.offline.problem is None else what
        sentence, verdict = f"{name} promises to be at most {promised} old, and {there_is}", Verdict.ALERT
    else:
        is_late = lag > allowed
        verdict = Verdict.ALERT if is_late else Verdict.OK
        age = f"{in_words(lag)} old" if lag >= 0 else "newer than the instant looked at"
        limit = f"more than the {promised} that are promised" if is_late else f"{promised} are promised"
        sentence = f"{what} is {age}, of {to_text(since)}: {limit}"
    return Check(
        feature=name,
        view=look.view.name,
        owner=planned.feature.owner,
        signal="freshness",
        side=side,
        verdict=verdict,
        sentence=sentence,
        value=None if lag is None else lag / 1000,
        threshold=promised.milliseconds / 1000,
    )
