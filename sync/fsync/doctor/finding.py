"""What an examination finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fsync.errors import FsyncError, InputError, one_line
from fsync.spec.project import Project, open_project
from fsync.warehouse.profile import Profile, read_profile

#: `doubtful` works, but hardly as it is meant to; `skipped` could not be looked at
State = Literal["fine", "doubtful", "broken", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `what` is its examination's name; `mend` is what to do, where that is known."""

    what: str
    state: State
    message: str
    mend: str | None = None


class Skip(Exception):
    """An examination cannot look at anything before another one's fault is mended."""


@dataclass(frozen=True)
class Scene:
    """What is examined: the dbt project at or above a folder, a target of its profile, an online store's URL.

    The project and its profile are read by each examination anew, which costs nothing; they raise `Skip` where that
    cannot be done, since another examination says so.
    """

    folder: Path
    target: str | None = None
    #: None is the project's own store
    online: str | None = None

    def project(self) -> Project:
        try:
            return open_project(self.folder)
        except InputError:
            raise Skip("there is no dbt project to look at") from None

    def profile(self) -> Profile:
        try:
            return read_profile(self.project(), self.target)
        except InputError:
            raise Skip("dbt's profile does not say where the warehouse is") from None


@dataclass(frozen=True)
class Examination:
    """A named look at one thing. `look` yields (state, message, mend); an FsyncError that it raises is a fault too."""

    what: str
    look: Callable[[Scene], Iterator[tuple[State, str, str | None]]]

    def findings(self, scene: Scene) -> Iterator[Finding]:
        try:
            for state, message, mend in self.look(scene):
                yield Finding(self.what, state, message, mend)
        except Skip as reason:
            yield Finding(self.what, "skipped", str(reason))
        except FsyncError as error:
            yield Finding(self.what, "broken", one_line(error), error.mend)
