"""The dbt package of fsync's macros in a project: the entry that names it, and the files where they are vendored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.version import InvalidVersion, Version

from fsync import __version__
from fsync.root import PROJECT_FILE, find_reference
from fsync.spec.document import plain
from fsync.spec.project import Project

NAME: Final = "fsync"
#: where `fsync init` puts the package's files
FOLDER: Final = "fsync_package"
#: where the package stands in its repository
SUBDIRECTORY: Final = "macros"
PACKAGES_FILE: Final = "packages.yml"

#: in a vendored package: what its files came to when they were put there
_DIGEST_FILE: Final = ".digest"
_DEPENDENCIES_FILE: Final = "dependencies.yml"
_LOCK_FILE: Final = "package-lock.yml"
_KINDS: Final = ("local", "git", "private", "package", "tarball")


@dataclass(frozen=True)
class Entry:
    """An entry for fsync in a file of packages: `kind` is dbt's word, `local`, `git` and so on."""

    file: str
    kind: str
    value: str

    def __str__(self) -> str:
        """As a message shows it, without what may be a password."""
        return f"{self.kind}: {re.sub('//[^/@]*@', '//…@', self.value)}"


# ---------------------------------------------------------------- the entry


def packages_file(project: Project) -> str:
    """The file that dbt reads this project's packages from: it may not have them in both."""
    in_packages = "packages" in _mapping(project.root / PACKAGES_FILE)
    in_dependencies = "packages" in _mapping(project.root / _DEPENDENCIES_FILE)
    return _DEPENDENCIES_FILE if in_dependencies and not in_packages else PACKAGES_FILE


def find_entry(project: Project) -> Entry | None:
    """The entry by which the project has fsync's package already, wherever it comes from."""
    locked = dict(_locked(project))
    for file in (PACKAGES_FILE, _DEPENDENCIES_FILE):
        for item in _items(project.root / file):
            for kind in _KINDS:
                if isinstance(value := item.get(kind), str) and _is_ours(project, kind, value, item, locked):
                    return Entry(file, kind, value)
    return None


def is_vendored(project: Project, entry: Entry) -> bool:
    """Whether the entry names the folder that `fsync init` fills."""
    return entry.kind == "local" and _folder(project, entry.value) == (project.root / FOLDER).resolve()


def _is_ours(project: Project, kind: str, value: str, item: Mapping[str, Any], locked: Mapping[str, str]) -> bool:
    if kind == "local":
        return is_vendored(project, Entry("", kind, value)) or version_of(_folder(project, value)) is not None
    if value in locked:
        return locked[value] == NAME
    last = re.split("[/:]", value.rstrip("/").removesuffix(".git"))[-1]
    # a mirror can have any name: the folder tells
    return NAME in (last, item.get("name")) or item.get("subdirectory") == SUBDIRECTORY


def _locked(project: Project) -> Iterator[tuple[str, str]]:
    """What an entry names → what the package there is called, as dbt found out when it installed it."""
    for item in _items(project.root / _LOCK_FILE):
        for kind in _KINDS[1:]:
            if isinstance(item.get(kind), str) and isinstance(item.get("name"), str):
                yield item[kind], item["name"]


def _folder(project: Project, local: str) -> Path:
    return (project.root / Path(local).expanduser()).resolve()


def _items(path: Path) -> list[Mapping[str, Any]]:
    packages = _mapping(path).get("packages")
    return [item for item in packages if isinstance(item, Mapping)] if isinstance(packages, list) else []


def _mapping(path: Path) -> Mapping[str, Any]:
    """A YAML file's mapping; an empty one for a file that is not there, or is not one."""
    try:
        found = plain(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, Mapping) else {}


# ---------------------------------------------------------------- the files


def package_files() -> Mapping[str, bytes]:
    """The package as this fsync has it: path → bytes. The file with the version is the last."""
    folder = find_reference() / SUBDIRECTORY
    files = {name: (folder / name).read_bytes() for name in sorted(sources(folder))}
    settings = files.pop(PROJECT_FILE)
    return {**files, _DIGEST_FILE: _digest({**files, PROJECT_FILE: settings}).encode(), PROJECT_FILE: settings}


def sources(folder: Path) -> set[str]:
    """The files in a folder that dbt would read, with forward slashes; none of those that are hidden."""
    found = (path for path in folder.rglob("*") if path.suffix in (".sql", ".yml") and path.is_file())
    return {path.relative_to(folder).as_posix() for path in found if not path.name.startswith(".")}


def is_as_packaged(folder: Path) -> bool:
    """Whether a copy of the package has the very files that this fsync has."""
    return _digest_of(folder) == package_files()[_DIGEST_FILE].decode()


def is_outdated(folder: Path, version: str) -> bool:
    """Whether a vendored package, of this version, is an older fsync's: or of another build, and nobody's own since."""
    if version != __version__:
        return is_older(version, __version__)
    try:
        recorded = (folder / _DIGEST_FILE).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return False
    return recorded == _digest_of(folder) and not is_as_packaged(folder)


def _digest_of(folder: Path) -> str:
    return _digest({name: (folder / name).read_bytes() for name in sources(folder)})


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        # git may have given the files other line ends
        digest.update(b"%s\0%s\0" % (name.encode(), data.replace(b"\r\n", b"\n")))
    return digest.hexdigest()


def version_of(folder: Path) -> str | None:
    """The version of the package in a folder; None where there is no package of fsync's."""
    settings = _mapping(folder / PROJECT_FILE)
    return str(settings.get("version")) if settings.get("name") == NAME else None


def is_older(version: str, than: str) -> bool:
    """Whether a version comes before another one; what is no version comes before all."""
    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return version != than


def install_folder(project: Project) -> Path:
    """Where `dbt deps` puts the package."""
    given = _mapping(project.root / PROJECT_FILE).get("packages-install-path")
    return project.root / (given if isinstance(given, str) else "dbt_packages") / NAME


def path_settings(project: Project) -> Iterator[tuple[str, str]]:
    """The (setting, path) pairs of dbt_project.yml that say where dbt looks for SQL and YAML."""
    for setting, paths in _mapping(project.root / PROJECT_FILE).items():
        if isinstance(paths, list) and str(setting).endswith("-paths") and setting not in ("docs-paths", "asset-paths"):
            yield from ((setting, path) for path in paths if isinstance(path, str))
