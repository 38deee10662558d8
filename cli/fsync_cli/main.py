"""The program: its commands, and what becomes of errors."""

from __future__ import annotations

import gc
import logging
import sys
from typing import Annotated, Final

import typer

from fsync import __version__
from fsync.errors import FsyncError, GovernanceErrors, OutOfDate, SpecErrors
from fsync_cli import (
    access,
    build,
    check,
    compile,
    demo,
    doctor,
    explain,
    get,
    init,
    lineage,
    listing,
    new,
    plan,
    push,
    report,
    rollback,
    schema,
    show,
    train,
    watch,
)
from fsync_cli.console import counted, say

_EXIT_BUG: Final = 70
_EXIT_INTERRUPTED: Final = 130

_START: Final = """\
fsync: features as YAML, built by dbt, served from Redis.

  fsync demo       see it work on real purchases, in a scratch folder
  fsync init       add what fsync needs to a dbt project that you have
  fsync new        begin a spec: a file to learn from, checked before it is written
  fsync check      say what is wrong with the specs, and what is not as the team wants it
  fsync compile    write the dbt models that the specs in feature_specs/ mean
  fsync list       the features there are; fsync show NAME tells all of one
  fsync plan       what a build and a push would change, and whom it hits
  fsync build      compile, and let dbt build and test the feature tables
  fsync push       bring the latest values to the online store
  fsync get        read them: fsync get VIEW KEY
  fsync rollback   serve what was served before the last change of a view
  fsync train      join labels with features as of their times
  fsync watch      freshness, NULLs, drift and availability of features, and who hears of it
  fsync explain    why a feature has its value, online and offline
  fsync lineage    what a feature is made of, and what is made of it
  fsync access     who may read what, as rules of Redis or grants of dbt
  fsync report     how well the team does: reuse, duplicates, freshness kept
  fsync doctor     what keeps fsync from working, and how to mend it

`fsync COMMAND --help` tells more of each."""

app = typer.Typer(
    name="fsync",
    help="A SQL-native feature warehouse: features as YAML, built by dbt, served from Redis.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

COMMANDS: Final = (
    ("demo", demo.demo),
    ("init", init.init),
    ("new", new.new),
    ("check", check.check),
    ("compile", compile.compile_),
    ("build", build.build),
    ("list", listing.list_),
    ("show", show.show),
    ("plan", plan.plan),
    ("push", push.push),
    ("get", get.get),
    ("rollback", rollback.rollback),
    ("schema", schema.schema),
    ("train", train.train),
    ("watch", watch.watch),
    ("explain", explain.explain),
    ("lineage", lineage.lineage),
    ("report", report.report),
    ("doctor", doctor.doctor),
)

for _name, _command in COMMANDS:
    app.command(_name)(_command)
app.add_typer(access.access, name="access")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"fsync {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(_START)


def main() -> None:
    """Run the program, and end with its exit code: those of `fsync.errors`, 70 for a bug, 130 for Ctrl-C."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """The exit code of one call; errors are told on stderr."""
    # a call ends soon, and its trees are alive until then: looking through them again and again finds nothing
    gc.set_threshold(100_000, 50, 50)
    # what sqlglot warns of is an error of ours, with its place
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    # what it warns of has the path of a webhook in it, which is a secret
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        app(arguments, standalone_mode=True)
    except SystemExit as end:
        # typer has turned Ctrl-C into this code already
        if end.code == _EXIT_INTERRUPTED:
            say("interrupted: nothing is lost, run it again to go on")
        return end.code if isinstance(end.code, int) else 0
    except FsyncError as error:
        _tell(error)
        return error.exit_code
    except Exception:
        import traceback

        traceback.print_exc()
        say(f"\nthis is a bug of fsync {__version__}: please report it with the lines above")
        return _EXIT_BUG
    return 0


def _tell(error: FsyncError) -> None:
    if isinstance(error, SpecErrors | GovernanceErrors):
        say(str(error))
        say(f"\n{counted(len(error.issues), 'error')} in the specs")
        return
    say(f"error: {error}")
    if isinstance(error, OutOfDate):
        for path in error.paths:
            say(f"  {path}")
    if error.mend is not None:
        say(f"  = {error.mend}")
