"""`fsync schema`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fsync_cli.console import emit


class Kind(StrEnum):
    """Of which files."""

    FEATURE = "feature"
    SERVICE = "service"


def schema(
    kind: Annotated[
        Kind, typer.Argument(envvar="FSYNC_KIND", help="The files in feature_specs/, or in feature_specs/services/.")
    ] = Kind.FEATURE,
) -> None:
    """Print the JSON Schema of spec files, for completion and checks in an editor."""
    import json

    from fsync.spec.schema import feature_schema, service_schema

    made = feature_schema() if kind is Kind.FEATURE else service_schema()
    emit(json.dumps(made, indent=2, ensure_ascii=False))
