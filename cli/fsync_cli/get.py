"""`fsync get`"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.read import Batch, Layer, Reader, Reading
from fsync.wire import PREFIX, ServiceMeta
from fsync_cli.console import emit, emit_json, jsonable, say, shown, table
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Snapshot, embedded, instant


def get(
    asked: Annotated[
        list[str],
        typer.Argument(
            metavar="[VIEW] KEY",
            help="A view, if no service is named, then entities; the columns of one are joined by '|'. "
            "A negative number goes after --.",
        ),
    ],
    service: Annotated[
        str | None,
        typer.Option(
            "--service",
            metavar="NAME",
            help="Read the vector of a feature service. Where its views have different entities, a key is "
            "user_id=42,merchant_id=7.",
        ),
    ] = None,
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
    view, keys = (None, asked) if service is not None else (asked[0], asked[1:])
    if not keys:
        raise InputError(f"which entity of {view or service}?", f"fsync get {view or '--service ' + str(service)} KEY")
    with Reader(online or embedded(project_dir), prefix=prefix, snapshot=snapshot) as reader:
        if service is not None:
            definition = reader.service(service)
            batch = reader.read_service(service, [_entity(key, definition) for key in keys], at=instant(at))
            is_missing = _tell_service(service, keys, batch, json)
        else:
            readings = reader.read_many(str(view), keys, at=instant(at))
            for key, reading in zip(keys, readings, strict=True):
                if json:
                    emit_json(_as_json(key, reading))
                else:
                    _tell(key, reading)
            is_missing = any(reading.is_missing for reading in readings)
    if is_missing:
        raise typer.Exit(1)


def _entity(key: str, service: ServiceMeta) -> str | dict[str, str]:
    """A key that names the service's columns, `user_id=42,merchant_id=7`, as a mapping; another one as it is."""
    # a value goes on until the next column: commas and signs in it are its own
    starts = re.compile(rf"(?:^|,)\s*({'|'.join(map(re.escape, service.columns))})=")
    parts = starts.split(key)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return found if not parts[0] and found.keys() == set(service.columns) else key


def _tell_service(service: str, keys: list[str], batch: Batch, json: bool) -> bool:
    """Print vectors; whether one of them is missing altogether."""
    is_missing = False
    for row, (key, values, statuses) in enumerate(zip(keys, batch.to_dicts(), batch.statuses(), strict=True)):
        is_missing |= all(readings[row].is_missing for readings in batch.readings.values())
        at = next(readings[row].at for readings in batch.readings.values())
        if json:
            features = {
                name: {"value": jsonable(value), "status": statuses[name].value} for name, value in values.items()
            }
            emit_json({"service": service, "key": key, "at": to_text(at), "features": features})
        else:
            say(f"{service} {key} at {to_text(at)}")
            rows = [[name, shown(value), statuses[name].value] for name, value in values.items()]
            emit(table(["feature", "value", "status"], rows))
    return is_missing


def _as_json(key: str, reading: Reading) -> dict[str, Any]:
    return {
        "view": reading.view,
        "key": key,
        "at": to_text(reading.at),
        "as_of": None if reading.as_of is None else to_text(reading.as_of),
        "layer": reading.layer.value,
        "features": {
            name: {"value": jsonable(value), "status": reading.status[name].value}
            for name, value in reading.values.items()
        },
    }


def _tell(key: str, reading: Reading) -> None:
    if reading.as_of is None:
        say(f"{reading.view} {key}: missing, the view was not pushed to this store or has expired")
        return
    rows = [[name, shown(value), reading.status[name].value] for name, value in reading.values.items()]
    where = ", from the snapshot: the online store does not answer" if reading.layer is Layer.SNAPSHOT else ""
    say(f"{reading.view} {key} at {to_text(reading.at)}, pushed as of {to_text(reading.as_of)}{where}")
    emit(table(["feature", "value", "status"], rows))
