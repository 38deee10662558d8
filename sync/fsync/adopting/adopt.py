"""What an existing dbt project gets of fsync: its macros, a folder for specs, and who may own features.

All is decided before anything is written, and what a person wrote is only ever added to.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import yaml

from fsync import __version__
from fsync.adopting.insertion import insert
from fsync.adopting.package import (
    FOLDER,
    NAME,
    PACKAGES_FILE,
    SUBDIRECTORY,
    find_entry,
    is_as_packaged,
    is_outdated,
    is_vendored,
    package_files,
    packages_file,
    path_settings,
    sources,
    version_of,
)
from fsync.errors import InputError
from fsync.root import PROJECT_FILE
from fsync.spec.document import plain
from fsync.spec.project import SPECS, Project

State = Literal["added", "there", "by hand"]

_OWNERS: Final = ("fsync:", '  owners: ["*"]  # who may own features; "*" is anybody')
_UNSAFE: Final = "it is written in a way that lines cannot safely be added to: add this yourself"


@dataclass(frozen=True)
class Git:
    """Where dbt is to clone the macros from. `revision` is a tag, a branch or a commit."""

    url: str
    revision: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing that a project needs. `path` is relative to it; `add` is the text that a person has to add."""

    what: str
    path: str
    state: State
    note: str
    add: str | None = None


@dataclass(frozen=True)
class AdoptReport:
    """What a project got, step by step; no step where the project is fsync's own."""

    project: str
    root: Path
    steps: tuple[Step, ...]

    @property
    def is_complete(self) -> bool:
        return all(step.state != "by hand" for step in self.steps)


@dataclass(frozen=True)
class _Planned:
    step: Step
    #: written in this order
    files: Mapping[Path, bytes] = field(default_factory=dict)
    left_over: tuple[Path, ...] = ()


def adopt(project: Project, *, git: Git | None = None, dry_run: bool = False) -> AdoptReport:
    """Add what fsync needs to a dbt project and is not there yet; with `dry_run`, only say what that is.

    Args:
        git: where dbt gets the macros; without it they are copied into the project.

    Raises:
        InputError: before anything is written, where something else stands in the way; or when a file cannot be
            written, and then what was written before it stays: doing it again goes on from there.
    """
    if project.carries_package:
        return AdoptReport(project.name, project.root, ())
    if project.name == NAME:
        raise InputError(
            f"{project.root} is a dbt project named {NAME}, and dbt installs no package of its project's own name",
            "if it is a copy of fsync's package, run this in the project around it; else rename it",
        )
    if git is not None:
        _refuse_password(git.url)
    try:
        planned = (*_macros(project, git), _specs(project), _owners(project))
        if not dry_run:
            for part in planned:
                _carry_out(part)
    except OSError as error:
        raise InputError(f"{error.filename or project.root} cannot be read or written: {error.strerror}") from error
    return AdoptReport(project.name, project.root, tuple(part.step for part in planned))


# ---------------------------------------------------------------- the macros


def _macros(project: Project, git: Git | None) -> tuple[_Planned, ...]:
    entry = find_entry(project)
    if entry is not None:
        there = _Planned(Step("package", entry.file, "there", str(entry)))
        return (_vendored(project), there) if is_vendored(project, entry) else (there,)
    if git is not None:
        lines = [f"- git: {_scalar(git.url)}", f"  subdirectory: {SUBDIRECTORY}"]
        lines += [f"  revision: {_scalar(git.revision)}"] if git.revision is not None else []
        return (_entry(project, tuple(lines)),)
    return _vendored(project), _entry(project, (f"- local: {FOLDER}",))


def _entry(project: Project, lines: tuple[str, ...]) -> _Planned:
    return _addition(project, packages_file(project), "package", "packages", lines, lines[0].removeprefix("- "))


def _vendored(project: Project) -> _Planned:
    """The package's files below the project: new, or instead of those of an older fsync."""
    _refuse_path(project)
    folder, files = project.root / FOLDER, package_files()
    known = version_of(folder)
    whole = {folder / name: data for name, data in files.items()}
    if known is None:
        # what a copy that was ended has left behind is ours
        if folder.exists() and not (folder.is_dir() and _others(folder) <= files.keys()):
            raise InputError(f"{FOLDER} stands there already, and is not fsync's", f"move it, or use --git: {folder}")
        return _Planned(_vendored_step("added", f"the macros of fsync {__version__}"), whole)
    if is_outdated(folder, known):
        left_over = tuple(folder / name for name in sorted(sources(folder) - files.keys()))
        those = f"those of {known}" if known != __version__ else "another build of it"
        note = f"the macros of fsync {__version__}, instead of {those}"
        return _Planned(_vendored_step("added", note), whole, left_over)
    return _Planned(_vendored_step("there", f"the macros of fsync {known}{_difference(folder, known)}"))


def _vendored_step(state: State, note: str) -> Step:
    return Step("macros", f"{FOLDER}/", state, note)


def _difference(folder: Path, known: str) -> str:
    if known != __version__:
        return f", newer than the fsync {__version__} that is installed"
    return "" if is_as_packaged(folder) else "; they have been changed"


def _others(folder: Path) -> set[str]:
    """All files in a folder, but for hidden ones: an editor's, or what is left of a write that was ended."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix() for path in found}


def _refuse_path(project: Project) -> None:
    """dbt would take the vendored macros for the project's own."""
    vendored = (project.root / FOLDER).resolve()
    for setting, path in path_settings(project):
        if vendored.is_relative_to((project.root / path).resolve()):
            raise InputError(
                f"{setting} of {PROJECT_FILE} has {path!r}, which would hold {FOLDER} too",
                f"name the folders that dbt is to read, such as `{setting}: [{setting.removesuffix('-paths')}s]`, "
                "or let dbt fetch the macros with --git",
            )


def _refuse_password(url: str) -> None:
    try:
        has_password = urlsplit(url).password is not None
    except ValueError:
        has_password = False
    if has_password and "{{" not in url:
        raise InputError(
            f"the URL of --git has a password in it, which {PACKAGES_FILE} would show to everybody",
            "write {{ env_var('DBT_ENV_SECRET_…') }} in its place, or use ssh",
        )


def _scalar(text: str) -> str:
    """A text as YAML that means that text, and not a number."""
    try:
        is_plain = plain(f"a: {text}") == {"a": text}
    except yaml.YAMLError:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False)


# ---------------------------------------------------------------- specs and owners


def _specs(project: Project) -> _Planned:
    folder = project.specs
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{SPECS} is a file, and fsync needs a folder of that name", "move it")
    if folder.is_dir() and any(folder.iterdir()):
        return _Planned(Step("specs", f"{SPECS}/", "there", "the folder of feature specs"))
    return _Planned(Step("specs", f"{SPECS}/", "added", "the folder of feature specs"), {folder / ".gitkeep": b""})


def _owners(project: Project) -> _Planned:
    settings = plain((project.root / PROJECT_FILE).read_text(encoding="utf-8"))
    variables = settings.get("vars")
    if isinstance(variables, Mapping) and NAME in variables:
        return _Planned(Step("owners", PROJECT_FILE, "there", "it has vars.fsync"))
    return _addition(project, PROJECT_FILE, "owners", "vars", _OWNERS, "anybody may own features")


def _addition(project: Project, file: str, what: str, key: str, lines: tuple[str, ...], note: str) -> _Planned:
    """Lines below a key of one of the project's files; by hand where that is not safe."""
    path = project.root / file
    text = _text(path)
    changed = None if text is None else insert(text, key, lines)
    if changed is None:
        add = "\n".join([f"{key}:", *(f"  {line}" for line in lines)])
        return _Planned(Step(what, file, "by hand", _UNSAFE, add))
    return _Planned(Step(what, file, "added", note), {path: changed.encode()})


def _text(path: Path) -> str | None:
    """A file's text, empty where there is no file; None for what is no UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        return None


# ---------------------------------------------------------------- writing


def _carry_out(part: _Planned) -> None:
    for path, data in part.files.items():
        target = path.resolve()  # a link stays one
        target.parent.mkdir(parents=True, exist_ok=True)
        # beside it, then moved: a reader sees the old text or the new, never half of one
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(data)
        if target.is_file():
            shutil.copymode(target, beside)
        beside.replace(target)
    for path in part.left_over:
        path.unlink(missing_ok=True)
