"""`fsync show`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import counted, emit, emit_json, say, with_instants
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Target, embedded

if TYPE_CHECKING:
    from fsync.cards import Card, FeatureCard, ServiceCard, ViewCard
    from fsync.deployed import LastCheck

_INSTANTS = ("built_at", "pushed_as_of", "watched_at")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A feature, a view or a service.")],
    online: Online = None,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Show all that is known of a feature, a view or a service.

    What it is, who owns it, where it is used, when it was built and pushed last, and what watching it came to.
    """
    from fsync.cards import FeatureCard, card_of
    from fsync.compile import plan_project
    from fsync.deployed import built, last_checks, served
    from fsync.spec.project import open_project

    project = open_project(project_dir)
    plan = plan_project(project)
    stands = built(project, target)
    serves = served([view.name for view in plan.views], online or embedded(project_dir), prefix)
    card = card_of(name, plan, stands, serves)
    problems = [problem for problem in (stands.problem, serves.problem) if problem is not None]
    # a warehouse that cannot be read is a problem already
    is_watched = isinstance(card, FeatureCard) and stands.problem is None
    checks = last_checks(project, name, serves.store, target) if is_watched else ()
    if json:
        told = {"kind": _kind(card), **asdict(card), "last_checks": [asdict(check) for check in checks]}
        emit_json({**with_instants(told, _INSTANTS), "problems": problems})
        return
    unknown = {"last build": stands.problem, "last push": serves.problem}
    lines = [
        (heading, "unknown" if unknown.get(heading) else text)
        for heading, text in (*_lines(card), *_of_checks(checks))
        if text
    ]
    width = max(len(heading) for heading, _ in lines)
    for heading, text in lines:
        emit(f"{heading:<{width}}  {text}".rstrip())
    for problem in problems:
        say(f"not looked at: {problem}")


def _kind(card: Card) -> str:
    return type(card).__name__.removesuffix("Card").lower()


def _lines(card: Card) -> Iterator[tuple[str, str | None]]:
    from fsync.cards import FeatureCard, ViewCard

    if isinstance(card, FeatureCard):
        return _of_feature(card)
    return _of_view(card) if isinstance(card, ViewCard) else _of_service(card)


def _of_feature(card: FeatureCard) -> Iterator[tuple[str, str | None]]:
    record = card.record
    yield "feature", record.feature
    yield "is", record.description
    yield "defined in", card.place
    yield "definition", record.transformation
    yield "where", record.condition
    yield "ttl", record.ttl
    yield "SQL", card.sql
    yield "type", record.data_type
    yield "empty value", record.empty_value or "NULL"
    yield "version", record.version
    yield "owner", record.owner
    yield "classes", record.classification or "none"
    yield "promises", _promises(record.freshness, record.availability)
    yield "tags", record.tags
    yield "backfill", f"from {record.backfill_from}: {record.backfill_note}" if record.backfill_from else None
    yield (
        "deprecated",
        f"since {record.deprecated_since}: {record.deprecated_note}" if record.deprecated_since else None,
    )
    yield "use instead", record.replacement
    yield "made of", ", ".join(card.reads)
    yield "derived", ", ".join(card.derived)
    yield "read by", ", ".join(card.services)
    yield "view", f"{card.view.view}@{card.view.hash}, every {record.every or 'change'}"
    yield from _of_deployment(card.view)


def _promises(freshness: str | None, availability: str | None) -> str:
    fresh = f"no older than {freshness}" if freshness else ""
    available = f"available {availability}" if availability else ""
    return ", ".join(filter(None, (fresh, available)))


def _of_view(card: ViewCard) -> Iterator[tuple[str, str | None]]:
    yield "view", card.view
    yield "version", card.hash
    yield "entity", ", ".join(card.entity)
    yield "source", card.source
    yield "classes", ", ".join(card.classes) or "none"
    yield "features", ", ".join(card.features)
    yield "read by", ", ".join(card.services)
    yield from _of_deployment(card)


def _of_service(card: ServiceCard) -> Iterator[tuple[str, str | None]]:
    record = card.record
    yield "service", record.service
    yield "is", record.description
    yield "defined in", card.place
    yield "owner", record.owner
    yield "since", record.since
    yield "reads", ", ".join(record.features)
    yield "and elsewhere", ", ".join(record.external)
    for view in card.views:
        yield "view", f"{view.view}@{view.hash}"
        yield from _of_deployment(view)


def _of_deployment(card: ViewCard) -> Iterator[tuple[str, str]]:
    if card.built_at is None:
        yield "last build", "none"
    else:
        rows = f", {card.rows:,} rows" if card.rows is not None else ""
        yield "last build", f"{to_text(card.built_at)}{rows}{_other(card.built_hash, card.hash)}"
    if card.pushed_as_of is None:
        yield "last push", "none"
    else:
        yield "last push", f"as of {to_text(card.pushed_as_of)}{_other(card.served_hash, card.hash)}"


def _of_checks(checks: Sequence[LastCheck]) -> Iterator[tuple[str, str]]:
    """When it was watched last, and what alerted or could not be looked at then."""
    last = max((check.watched_at for check in checks), default=0)
    seen = [check for check in checks if check.watched_at == last]
    if seen:
        yield "last watched", f"as of {to_text(last)}, {counted(len(seen), 'check')}"
    for check in seen:
        if check.verdict != "ok":
            yield check.verdict, f"{check.signal} {check.side}: {check.sentence}"


def _other(found: str | None, wanted: str) -> str:
    return "" if found == wanted else f", of another version: {found}"
