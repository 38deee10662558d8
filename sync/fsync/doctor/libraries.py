"""The Python libraries that are installed, against what fsync's own metadata asks for."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

from fsync import __version__
from fsync.doctor.finding import Scene, Skip, State


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """One finding for each library that is missing, or of a version that fsync does not go with; or that none is."""
    try:
        required = [Requirement(line) for line in metadata.requires("fsync") or ()]
    except metadata.PackageNotFoundError:
        raise Skip("fsync runs without having been installed, so nothing says what it needs") from None
    needed = [each for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]
    faults = [fault for each in needed if (fault := _fault(each)) is not None]
    for message, mend in faults:
        yield "broken", message, mend
    if not faults:
        python = platform.python_version()
        yield (
            "fine",
            f"fsync {__version__} on Python {python}, and {len(needed)} libraries in the versions it needs",
            None,
        )


def _fault(required: Requirement) -> tuple[str, str] | None:
    mend = f"pip install {str(required).partition(';')[0].strip()!r}"
    try:
        version = metadata.version(required.name)
    except metadata.PackageNotFoundError:
        return f"{required.name} is not installed", mend
    if required.specifier.contains(version, prereleases=True):
        return None
    return f"{required.name} {version} is installed, and fsync needs {required.specifier}", mend
