"""Availability: the share of probes that a store answers with a value as fresh as promised, against the SLA."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.monitors import read_share
from fsync.watch.check import Check, Verdict
from fsync.watch.look import Look


def availability(look: Look) -> Iterator[Check]:
    """Features that promise it and are watched for it, of an online store."""
    online = look.online
    if online is None:
        return
    for planned in look.view.features:
        if planned.feature.availability is None or not planned.monitors.availability:
            continue
        promised = read_share(planned.feature.availability)
        share, verdict = None, Verdict.UNKNOWN
        if online.probes == 0:
            sentence = "there is no entity to ask for"
        elif online.is_too_new:
            sentence = online.problem or ""
        else:
            share = online.answered.get(planned.name, 0) / online.probes
            verdict = Verdict.ALERT if share < promised else Verdict.OK
            limit = f"{planned.feature.availability} are promised"
            sentence = f"{share:.1%} of {online.probes:,} probes got a value, {limit}"
            if online.problem is not None and verdict is Verdict.ALERT:
                sentence += f": {online.problem}"
        yield Check.of(
            look.view,
            planned,
            "availability",
            "online",
            verdict,
            sentence,
            value=share,
            threshold=promised,
            counted=online.probes,
        )
