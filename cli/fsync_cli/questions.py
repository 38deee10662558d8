"""What `fsync new` asks a person, one thing after the other, each checked as it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from fsync.errors import InputError
from fsync.scaffold import prefill
from fsync.scaffold.draft import Wanted, likely, refuse_name, shown_classes, tried, tried_service
from fsync.scaffold.text import columns_told
from fsync.scaffold.trial import Standing
from fsync_cli.ask import agree, ask
from fsync_cli.console import say

_FORMS: Final = ("window_count(30d)", "window_sum(column, 30d)", "lifetime_avg(column)", "latest(column)")


def ask_for_feature(wanted: Wanted, standing: Standing) -> Wanted:
    """The same, with a person's answers in the place of what was not said."""
    catalog = standing.catalog
    names = [source.name for source in prefill.sources(catalog)]
    wanted = _asked("source", wanted, standing, offered=names)
    source = catalog.sources.get(wanted.source or "")
    keys = () if source is None else prefill.entities(catalog, source)
    wanted = _asked("entity", wanted, standing, offered=keys)
    if source is not None and wanted.transformation is None:
        say(f"  columns of {source.name}: {', '.join(columns_told(source))}")
    wanted = _asked("transformation", wanted, standing, offered=_FORMS)
    wanted = _ask_name(wanted, standing)
    wanted = _asked("description", wanted, standing)
    wanted = _asked("owner", wanted, standing, offered=prefill.owners(catalog, wanted.source))
    wanted = _ask_classes(wanted, standing)
    return _asked("freshness", wanted, standing, shown_as="sla")


def ask_for_service(wanted: Wanted, standing: Standing) -> Wanted:
    """The same, with a person's answers in the place of what was not said."""

    def problem(text: str) -> str | None:
        draft = tried_service(replace(wanted, features=text), standing)
        own = [issue for issue in draft.trial.faults if issue.place.file == draft.path]
        return "\n".join(text for issue in own for text in (issue.message, *issue.notes)) or None

    if wanted.features is None:
        known = [feature.name for feature in standing.catalog.features]
        wanted = replace(wanted, features=ask("features, with commas in between", offered=known, problem=problem))
    if wanted.description is None:
        wanted = replace(wanted, description=ask("description"))
    owners = prefill.owners(standing.catalog)
    return wanted if wanted.owner else replace(wanted, owner=ask("owner", next(iter(owners), wanted.user)))


def _asked(key: str, wanted: Wanted, standing: Standing, *, shown_as: str | None = None, offered: Any = ()) -> Wanted:
    """With an answer for one key, which is `shown_as` in a spec; asked until there is nothing wrong with it."""
    if getattr(wanted, key) is not None:
        return wanted

    def problem(text: str) -> str | None:
        return _refused(lambda: tried(_with(wanted, key, text), standing).problem(shown_as or key))

    guess = getattr(likely(wanted, standing), key)
    return _with(wanted, key, ask(key, guess, offered=offered, problem=problem))


def _ask_name(wanted: Wanted, standing: Standing) -> Wanted:
    if wanted.name is not None:
        return wanted

    def problem(text: str) -> str | None:
        taken = _refused(lambda: refuse_name(text, standing))
        return taken or tried(replace(wanted, name=text), standing).problem("name")

    guess = likely(wanted, standing).name
    is_free = guess is not None and problem(guess) is None
    return replace(wanted, name=ask("name", guess if is_free else None, problem=problem))


def _ask_classes(wanted: Wanted, standing: Standing) -> Wanted:
    if wanted.is_pii is not None:
        return wanted
    shown = sorted(shown_classes(wanted, standing))
    if shown:
        say(f"  it shows values of class {', '.join(shown)}")
    return replace(wanted, is_pii=agree("pii: are its values personal?", guess="pii" in shown))


def _with(wanted: Wanted, key: str, text: str) -> Wanted:
    changed: dict[str, Any] = {key: text}
    return replace(wanted, **changed)


def _refused(attempt: Callable[[], str | None]) -> str | None:
    try:
        return attempt()
    except InputError as error:
        return str(error) if error.mend is None else f"{error}\n{error.mend}"
