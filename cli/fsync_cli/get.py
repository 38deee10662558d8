"""`fsync get`"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from fsync.instant import to_text
from fsync.read import Layer, Reader, Reading
from fsync.wire import PREFIX, Value
from fsync_cli.console import emit, emit_json, say, shown, table
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Snapshot, embedded, instant


def get(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="The view to read.")],
    keys: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY", help="Entities; the columns of one are joined by '|'. A negative number goes after --."
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", envvar="FSYNC_AT", metavar="TIME", help="The instant asked for.", show_default="now"),
    ] = None,
    online: Online = None,
    snapshot: Snapshot = None,
    prefix: Prefix = PREFIX,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Read features online, each with its status.

    The exit code is 1 when nothing could be read for some entity (all of its features are missing).
    """
    with Reader(online or embedded(project_dir), prefix=prefix, snapshot=snapshot) as reader:
        readings = reader.read_many(view, keys, at=instant(at))
    for key, reading in zip(keys, readings, strict=True):
        if json:
            emit_json(_as_json(key, reading))
        else:
            _tell(key, reading)
    if any(reading.is_missing for reading in readings):
        raise typer.Exit(1)


def _as_json(key: str, reading: Reading) -> dict[str, Any]:
    return {
        "view": reading.view,
        "key": key,
        "at": to_text(reading.at),
        "as_of": None if reading.as_of is None else to_text(reading.as_of),
        "layer": reading.layer.value,
        "features": {
            name: {"value": _jsonable(value), "status": reading.status[name].value}
            for name, value in reading.values.items()
        },
    }


def _jsonable(value: Value) -> Value:
    """JSON has no NaN and no infinity: they are texts, as they are in the store."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _tell(key: str, reading: Reading) -> None:
    if reading.as_of is None:
        say(f"{reading.view} {key}: missing, the view was not pushed to this store or has expired")
        return
    rows = [[name, shown(value), reading.status[name].value] for name, value in reading.values.items()]
    where = ", from the snapshot: the online store does not answer" if reading.layer is Layer.SNAPSHOT else ""
    say(f"{reading.view} {key} at {to_text(reading.at)}, pushed as of {to_text(reading.as_of)}{where}")
    emit(table(["feature", "value", "status"], rows))
