"""Null ratio: how many of the entities that should have a value have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fsync.plan import Planned
from fsync.watch.check import Check, Side, Verdict
from fsync.watch.look import Counted, Look


def null_ratio(look: Look) -> Iterator[Check]:
    """Features that can be NULL and are watched for it, offline and online."""
    for planned in look.view.features:
        if planned.monitors.null_ratio is None or planned.is_never_null:
            continue
        if look.offline.problem is None:
            yield _check(look, planned, "offline", look.offline.counted)
        if look.online is not None and look.online.problem is None:
            yield _check(look, planned, "online", look.online.counted)


def _check(look: Look, planned: Planned, side: Side, counted: Mapping[str, Counted]) -> Check:
    most, found = planned.monitors.null_ratio, counted.get(planned.name)
    ratio = None
    verdict = Verdict.UNKNOWN
    if found is None:
        sentence = (
            "no other feature of the view tells an empty window from values that are missing: "
            "a count of the same window and condition would"
        )
    elif found.entities == 0:
        sentence = "no entity should have a value now"
    else:
        ratio = found.nulls / found.entities
        verdict = Verdict.ALERT if most is not None and ratio > most else Verdict.OK
        many = f"{found.nulls:,} ({ratio:.1%})" if 0 < ratio < 0.001 else f"{ratio:.1%}"
        sentence = f"{many} of {found.entities:,} that should have a value have none: {100 * (most or 0):.4g}% may"
    return Check.of(
        look.view,
        planned,
        "null_ratio",
        side,
        verdict,
        sentence,
        value=ratio,
        threshold=most,
        counted=None if found is None else found.entities,
    )
