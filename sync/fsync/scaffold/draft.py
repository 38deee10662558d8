"""What somebody wants of a new spec, filled up with what is likely, and tried out: a file that could be written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final

from fsync.errors import InputError
from fsync.scaffold import prefill
from fsync.scaffold.text import FeatureParts, ServiceParts, feature_text, service_text, with_window
from fsync.scaffold.trial import Standing, Trial, path_of, refuse_taken, try_out
from fsync.scaffold.trial import shown_classes as shown_by
from fsync.spec.feature import HOW_TO_NAME, NAME_PATTERN
from fsync.spec.patterns import DATE, HOW_TO_WRITE_DATE

#: what stands for a name, or for a transformation, until there is one
_NO_NAME: Final = "new_feature"
_ANY_TRANSFORMATION: Final = "lifetime_count()"


@dataclass(frozen=True)
class Wanted:
    """What somebody says of a new spec; None where they say nothing. Lists are texts with commas in between.

    Raises:
        InputError: when something is said that is no text.
    """

    name: str | None = None
    source: str | None = None
    entity: str | None = None
    transformation: str | None = None
    window: str | None = None
    every: str | None = None
    where: str | None = None
    view: str | None = None
    owner: str | None = None
    description: str | None = None
    is_pii: bool | None = None
    freshness: str | None = None
    backfill_from: str | None = None
    backfill_note: str | None = None
    features: str | None = None
    #: who asks, by the name that git has
    user: str | None = None

    def __post_init__(self) -> None:
        for known in fields(self):
            value = getattr(self, known.name)
            try:
                str(value).encode()
            except UnicodeEncodeError as error:
                raise InputError(f"{value!r} is not text", "write it in UTF-8") from error

    @property
    def is_of_feature(self) -> bool:
        """Whether something is said that a service does not have."""
        both = ("name", "owner", "description", "features", "user")
        return any(getattr(self, known.name) is not None for known in fields(self) if known.name not in both)

    @property
    def entity_columns(self) -> tuple[str, ...]:
        return _listed(self.entity)

    @property
    def computed(self) -> str | None:
        """The transformation with its window, where that is said apart."""
        if self.transformation is None or self.window is None:
            return self.transformation
        return with_window(self.transformation, self.window)


@dataclass(frozen=True)
class Draft:
    """A spec that could be written: the file, relative to the project, its text, and what it would come to."""

    name: str
    path: str
    text: str
    trial: Trial

    def problem(self, key: str) -> str | None:
        """What is wrong with the value of one key, in lines for a person."""
        # keys alone stand at the beginning of a line
        starts = (number for number, line in enumerate(self.text.split("\n"), 1) if line.startswith(f"{key}:"))
        line = next(starts, 0)
        issues = (issue for issue in self.trial.errors if (issue.place.file, issue.place.line) == (self.path, line))
        return "\n".join(text for issue in issues for text in (issue.message, *issue.notes)) or None


# ---------------------------------------------------------------- a feature


def likely(wanted: Wanted, standing: Standing) -> Wanted:
    """The same, with what the project makes likely in the place of what is not said."""
    catalog = standing.catalog
    sources = prefill.sources(catalog)
    source = wanted.source or (sources[0].name if len(sources) == 1 else None)
    read = catalog.sources.get(source or "")
    keys = prefill.entities(catalog, read) if read is not None else ()
    owners = prefill.owners(catalog, source)
    filled = replace(
        wanted,
        source=source,
        entity=_either(wanted.entity, next(iter(keys), None)),
        owner=_either(wanted.owner, next(iter(owners), wanted.user)),
        freshness=_either(wanted.freshness, prefill.freshness(catalog, source or "")),
    )
    return _named(filled, standing) if filled.transformation else filled


def _named(wanted: Wanted, standing: Standing) -> Wanted:
    """With a name, a description and whether it is personal: what follows from the rest."""
    parts = _parts(wanted)
    named = replace(
        wanted,
        name=_either(wanted.name, prefill.name(standing.catalog.policy.name_template, parts)),
        description=_either(wanted.description, prefill.description(parts)),
    )
    return named if wanted.is_pii is not None else replace(named, is_pii="pii" in shown_classes(named, standing))


def missing(wanted: Wanted) -> tuple[str, ...]:
    """The options that a feature needs and that are not given."""
    absent = {
        "--source": wanted.source is None,
        "--entity": wanted.entity is None,
        "--transformation": wanted.transformation is None,
        "--owner": wanted.owner is None,
        # nobody can guess what a derived feature means
        "NAME": wanted.name is None and wanted.transformation is not None and prefill.name("", _parts(wanted)) is None,
    }
    return tuple(option for option, is_absent in absent.items() if is_absent)


def feature_draft(wanted: Wanted, standing: Standing) -> Draft:
    """The feature that somebody wants, tried out.

    Raises:
        InputError: for all that is missing; for a name that is none or is taken.
    """
    full = likely(wanted, standing)
    _refuse_missing(missing(wanted), {"--source": full.source, "--entity": full.entity, "--owner": full.owner})
    refuse_name(full.name or "", standing)
    return tried(full, standing)


def tried(wanted: Wanted, standing: Standing) -> Draft:
    """A feature as far as it is known, tried out; something stands for what is not known."""
    classes = shown_classes(wanted, standing)
    if wanted.is_pii is not None:
        classes = classes - {"pii"} | ({"pii"} if wanted.is_pii else set())
    parts = replace(_parts(wanted), classes=tuple(sorted(classes)))
    path, text = path_of(parts.name), feature_text(parts, standing.catalog.sources.get(parts.source))
    return Draft(parts.name, path, text, try_out(standing, path, text))


def shown_classes(wanted: Wanted, standing: Standing) -> frozenset[str]:
    """The classes that the values of a feature would show values of."""
    parts = _parts(wanted)
    return shown_by(standing, path_of(parts.name), feature_text(parts, None), parts.name)


def _parts(wanted: Wanted) -> FeatureParts:
    return FeatureParts(
        # a path is made of it
        name=wanted.name if wanted.name is not None and _is_name(wanted.name) else _NO_NAME,
        entity=(_NO_NAME,) if wanted.entity is None else wanted.entity_columns,
        source=wanted.source or "",
        transformation=_ANY_TRANSFORMATION if wanted.computed is None else wanted.computed,
        owner=_NO_NAME if wanted.owner is None else wanted.owner,
        where=wanted.where,
        every=wanted.every,
        view=wanted.view,
        description=wanted.description,
        freshness=wanted.freshness,
        backfill=_backfill(wanted),
    )


def _backfill(wanted: Wanted) -> tuple[date, str] | None:
    since, note = wanted.backfill_from, wanted.backfill_note
    if since is None and note is None:
        return None
    if since is None or note is None:
        raise InputError("a backfill says since when, and why", "give both --backfill-from and --backfill-note")
    try:
        return date.fromisoformat(since if re.fullmatch(DATE, since) else ""), note
    except ValueError:
        raise InputError(f"--backfill-from: {since!r} is no date", HOW_TO_WRITE_DATE) from None


# ---------------------------------------------------------------- a service


def likely_service(wanted: Wanted, standing: Standing) -> Wanted:
    """The same, with the owner that is likely where none is said."""
    return replace(wanted, owner=_either(wanted.owner, next(iter(prefill.owners(standing.catalog)), wanted.user)))


def missing_of_service(wanted: Wanted) -> tuple[str, ...]:
    """The options that a service needs and that are not given."""
    absent = {"--features": wanted.features is None, "--owner": wanted.owner is None}
    return tuple(option for option, is_absent in absent.items() if is_absent)


def service_draft(wanted: Wanted, standing: Standing) -> Draft:
    """The service that somebody wants, tried out.

    Raises:
        InputError: for all that is missing; for a name that is none or is taken.
    """
    _refuse_missing(missing_of_service(wanted), {"--owner": likely_service(wanted, standing).owner})
    refuse_name(wanted.name or "", standing, is_service=True)
    return tried_service(wanted, standing)


def tried_service(wanted: Wanted, standing: Standing) -> Draft:
    """A service as far as it is known, tried out."""
    name = wanted.name or _NO_NAME
    owner = _NO_NAME if wanted.owner is None else wanted.owner
    name = name if _is_name(name) else _NO_NAME  # a path is made of it
    text = service_text(ServiceParts(name, owner, _listed(wanted.features), wanted.description))
    path = path_of(name, is_service=True)
    return Draft(name, path, text, try_out(standing, path, text))


# ---------------------------------------------------------------- both


def refuse_name(name: str, standing: Standing, *, is_service: bool = False) -> None:
    """Raise InputError for what cannot be a name, or is one already."""
    if not _is_name(name):
        raise InputError(f"{name!r} cannot be a name", HOW_TO_NAME)
    refuse_taken(standing, name, is_service=is_service)


def _is_name(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN, name) is not None


def _refuse_missing(absent: Sequence[str], guesses: Mapping[str, str | None]) -> None:
    if not absent:
        return
    known = [f"{option} {guesses[option]}" for option in absent if guesses.get(option)]
    likely_ones = f"likely are {', '.join(known)}, which --yes takes; " if known else ""
    mend = f"{likely_ones}in a terminal fsync asks for them; `fsync new --help` tells what they are"
    raise InputError(f"these are missing: {', '.join(absent)}", mend)


def _either(said: str | None, guess: str | None) -> str | None:
    return guess if said is None else said


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(item.strip() for item in (text or "").split(",") if item.strip())
