"""A spec that is not there yet, checked with all others as if it stood in its file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fsync.check import check
from fsync.check.governance import govern
from fsync.errors import GovernanceErrors, InputError, SpecErrors
from fsync.lineage.features import exposures_of
from fsync.spec.catalog import Catalog, load_catalog
from fsync.spec.issue import Issue, in_reading_order
from fsync.spec.load import load_features, load_services
from fsync.spec.model import load_models
from fsync.spec.project import SERVICES, SPECS, Project


@dataclass(frozen=True)
class Standing:
    """A project's specs as they stand, with what is already wrong with them."""

    project: Project
    catalog: Catalog
    issues: frozenset[Issue]
    #: whether they compile
    is_sound: bool


@dataclass(frozen=True)
class Trial:
    """What one more file would come to: the catalog with it, and the issues that would be new, in reading order."""

    catalog: Catalog
    faults: tuple[Issue, ...]
    findings: tuple[Issue, ...]

    @property
    def errors(self) -> tuple[Issue, ...]:
        return (*self.faults, *(issue for issue in self.findings if issue.severity == "error"))

    @property
    def warnings(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.findings if issue.severity == "warning")

    def require(self) -> None:
        """Raise SpecErrors for faults; GovernanceErrors for what the team does not want."""
        if self.faults:
            raise SpecErrors(self.faults)
        if self.errors:
            raise GovernanceErrors(self.errors)


def path_of(name: str, *, is_service: bool = False) -> str:
    """Where a spec of a name belongs, relative to its project."""
    return f"{SPECS}/{SERVICES}/{name}.yml" if is_service else f"{SPECS}/{name}.yml"


def stand(project: Project) -> Standing:
    """Read a project's specs."""
    catalog, faults = load_catalog(project)
    issues = (*faults, *check(catalog))
    return Standing(project, catalog, frozenset((*issues, *(() if issues else govern(catalog)))), not issues)


def refuse_taken(standing: Standing, name: str, *, is_service: bool = False) -> None:
    """Raise InputError where a feature, or a service, of this name stands in any file, or its own file is there."""
    specs = standing.catalog.services if is_service else standing.catalog.features
    noun = "service" if is_service else "feature"
    for spec in specs:
        if spec.name == name:
            place = spec.written.place("name")
            raise InputError(f"there is a {noun} {name!r} already: {place}", "change that one, or choose another name")
    path = standing.project.root / path_of(name, is_service=is_service)
    if path.exists() or path.is_symlink():
        relative = standing.project.relative(path)
        raise InputError(f"{relative} stands there already", "nothing is ever written over: choose another name")


def try_out(standing: Standing, path: str, text: str) -> Trial:
    """Check the project's specs with one more file. `path` is relative to the project; nothing is written there."""
    catalog, faults = _with(standing, path, text)
    faults = (*faults, *check(catalog))
    # as for `fsync check`: what the team asks for is only looked at in specs that compile
    findings = govern(catalog) if standing.is_sound and not faults else ()
    return Trial(catalog, _new(faults, standing), _new(findings, standing))


def shown_classes(standing: Standing, path: str, text: str, name: str) -> frozenset[str]:
    """The classes that the values of a feature in one more file would show values of, whatever its spec says."""
    catalog, _ = _with(standing, path, text)
    return frozenset(exposures_of(catalog).get(name, ()))


def _new(issues: tuple[Issue, ...], standing: Standing) -> tuple[Issue, ...]:
    return tuple(issue for issue in in_reading_order(issues) if issue not in standing.issues)


_PREFIX: Final = "fsync-new-"


def _with(standing: Standing, path: str, text: str) -> tuple[Catalog, tuple[Issue, ...]]:
    """The catalog with the specs of one more file, and the faults of that file's form.

    The file is read by what reads all others, in a project of its own where it is alone.
    """
    project, catalog = standing.project, standing.catalog
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
            alone = replace(project, root=Path(folder).resolve())
            file = alone.root / path
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            features, faults, unread = load_features(alone)
            services, faults_of_services = load_services(alone)
    except OSError as error:
        raise InputError(f"a scratch folder cannot be used: {error}", "name another one with TMPDIR") from error
    # the new one comes last, whatever its file's name: what two share is told of whoever comes second
    features, services = (*catalog.features, *features), (*catalog.services, *services)
    models = load_models(project, sorted({feature.source for feature in features}))
    unread |= catalog.unread
    with_it = replace(catalog, features=features, services=services, models=models, unread=unread)
    return with_it, (*faults, *faults_of_services)
