"""`fsync new`"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fsync.errors import InputError
from fsync_cli.ask import agree, is_anybody_there
from fsync_cli.console import counted, emit, emit_json, issue_json, say
from fsync_cli.options import DryRun, Json, ProjectDir

if TYPE_CHECKING:
    from fsync.scaffold.draft import Draft, Wanted
    from fsync.scaffold.trial import Standing

_NEXT: Final = """\
next
  fsync compile    writes the dbt models that the specs mean
  fsync build      compiles, and lets dbt build and test the tables"""


def _option(name: str, help_: str) -> Any:
    """A text, also of a variable of this command alone: FSYNC_SERVICE and such mean something else elsewhere."""
    variable = f"FSYNC_NEW_{name.upper().replace('-', '_')}"
    return typer.Option(f"--{name}", envvar=variable, metavar=name.upper(), help=help_, show_default=False)


def new(
    name: Annotated[
        str | None,
        typer.Argument(help="What it is called; without it, vars.fsync.name_template says.", show_default=False),
    ] = None,
    source: Annotated[str | None, _option("source", "The dbt model or source it reads.")] = None,
    entity: Annotated[str | None, _option("entity", "Whose value it is: a column, or several with commas.")] = None,
    transformation: Annotated[
        str | None, _option("transformation", "What it computes: 'window_sum(amount, 30d)'.")
    ] = None,
    window: Annotated[str | None, _option("window", "The window, where the transformation has none: 30d.")] = None,
    every: Annotated[str | None, _option("every", "The granularity: 1h, 1d.")] = None,
    where: Annotated[str | None, _option("where", "Only events that meet this condition count.")] = None,
    view: Annotated[str | None, _option("view", "The feature view, instead of the derived one.")] = None,
    owner: Annotated[str | None, _option("owner", "Who answers for it.")] = None,
    description: Annotated[str | None, _option("description", "What it is and in which unit.")] = None,
    pii: Annotated[
        bool | None,
        typer.Option(
            "--pii/--not-pii", envvar="FSYNC_NEW_PII", help="Whether values are personal.", show_default=False
        ),
    ] = None,
    freshness: Annotated[str | None, _option("freshness", "How old a value may be: 1h.")] = None,
    backfill_from: Annotated[str | None, _option("backfill-from", "The first day that can be trusted.")] = None,
    backfill_note: Annotated[str | None, _option("backfill-note", "Why not before.")] = None,
    service: Annotated[str | None, _option("service", "Begin a service of this name instead.")] = None,
    features: Annotated[str | None, _option("features", "What the service reads, with commas.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", envvar="FSYNC_NEW_YES", help="Take what is likely, and ask nothing.")
    ] = False,
    dry_run: DryRun = False,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Begin a spec: a file in feature_specs/ to learn from, checked with all others before it is written.

    What is not given is asked for in a terminal, with what is likely filled in.
    """
    from fsync.scaffold.draft import Wanted
    from fsync.scaffold.trial import stand
    from fsync.spec.project import open_project

    texts = (name, source, entity, transformation, window, every, where, view, owner, description)
    wanted = Wanted(*texts, pii, freshness, backfill_from, backfill_note, features)
    standing = stand(open_project(project_dir))
    draft = _draft(wanted, service, standing, takes_likely=yes, is_dry=dry_run)
    _finish(draft, standing, is_dry=dry_run, json=json)


def _draft(wanted: Wanted, service: str | None, standing: Standing, *, takes_likely: bool, is_dry: bool) -> Draft:
    """What is to be written: from the options, or from a person's answers, who sees it first."""
    from fsync.scaffold import draft
    from fsync_cli.questions import ask_for_feature, ask_for_service

    _refuse_mixed(wanted, service)
    wanted = replace(wanted, name=service or wanted.name, user=_user_of_git(standing))
    if service is None:
        make, fill, missing, ask_for = draft.feature_draft, draft.likely, draft.missing, ask_for_feature
    else:
        make, fill, missing = draft.service_draft, draft.likely_service, draft.missing_of_service
        ask_for = ask_for_service
    if wanted.name is not None:
        draft.refuse_name(wanted.name, standing, is_service=service is not None)
    is_asked = bool(missing(wanted)) and not takes_likely and is_anybody_there()
    if takes_likely:
        wanted = fill(wanted, standing)
    elif is_asked:
        wanted = ask_for(wanted, standing)
    made = make(wanted, standing)
    made.trial.require()
    if is_asked and not is_dry:
        say(f"\n{made.text}")
        if not agree(f"write {made.path}?"):
            say("nothing is written")
            raise typer.Exit(1)
    return made


def _refuse_mixed(wanted: Wanted, service: str | None) -> None:
    if service is None and wanted.features is not None:
        raise InputError("--features are those of a service", "name the service with --service")
    if service is not None and (wanted.name is not None or wanted.is_of_feature):
        raise InputError("a service has --features, an --owner and a --description", "leave the other options away")


def _user_of_git(standing: Standing) -> str | None:
    command = ["git", "-C", str(standing.project.root), "config", "user.name"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() or None
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def _finish(draft: Draft, standing: Standing, *, is_dry: bool, json: bool) -> None:
    """Write it, unless nothing is to be written, and say what comes next."""
    from fsync.scaffold.text import write_new

    path = standing.project.root / draft.path
    if not is_dry:
        write_new(path, draft.text)
    warnings = draft.trial.warnings
    if json:
        told = [issue_json(warning) for warning in warnings]
        names = {"name": draft.name, "path": draft.path, "text": draft.text}
        emit_json({**names, "dry_run": is_dry, "warnings": told})
        return
    for warning in warnings:
        say(f"{warning}\n")
    if not standing.is_sound:
        say(f"{counted(len(standing.issues), 'fault')} in other specs: `fsync check` tells more")
    if is_dry:
        emit(draft.text.removesuffix("\n"))
        say(f"would write {draft.path}")
        return
    emit(_from_here(path))
    say(_NEXT)


def _from_here(path: Path) -> str:
    """A path that can be used where the command was called."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
