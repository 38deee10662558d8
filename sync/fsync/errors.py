"""Everything that fsync raises on purpose. The exit code of the command line hangs on each branch.

    FsyncError
    ├── InputError          2   the specs, the project or the arguments are wrong
    │   ├── SpecErrors          faults in specs, all of them, each with its place
    │   └── NotBuilt            a view's table is missing, or was built from another version of its spec
    ├── CheckFailed         1   a check or a data test said no
    │   ├── GovernanceErrors    the specs compile, and are not as the team wants them
    │   ├── OutOfDate           the committed files are not what the specs compile to
    │   ├── NotAllowed          a store may not hold, or a role not read, values of a class
    │   └── BuildFailed         dbt ran, and a model or a test did not pass
    └── OutOfReach          3   a store or the warehouse does not answer
        ├── WarehouseOutOfReach
        └── StoreOutOfReach
            ├── PushUnderWay    another push of the view has its lease
            └── LeaseLost       this push was paused for so long that another one may have begun

Anything else that escapes is a bug of fsync's (exit code 70).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fsync.spec.issue import Issue


def one_line(error: object) -> str:
    """What another library says of its error, without its line breaks."""
    return " ".join(str(error).split())


class FsyncError(Exception):
    """`str(error)` says what is wrong; `mend` what to do about it, where that is known."""

    exit_code = 70

    def __init__(self, message: str, mend: str | None = None) -> None:
        super().__init__(message)
        self.mend = mend


class InputError(FsyncError):
    """What a person gave is wrong: arguments, project files, names."""

    exit_code = 2


class SpecErrors(InputError):
    """Faults in feature specs: `issues`, in reading order, at least one."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("\n\n".join(str(issue) for issue in issues))
        self.issues = issues


class NotBuilt(InputError):
    """A view's table is not there, or is not the one that its spec describes."""


class CheckFailed(FsyncError):
    """A check ran and its answer is no."""

    exit_code = 1


class GovernanceErrors(CheckFailed):
    """Specs that compile, and are not as the team wants them: `issues`, in reading order, at least one."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("\n\n".join(str(issue) for issue in issues))
        self.issues = issues


class NotAllowed(CheckFailed):
    """The project's policy forbids it."""


class OutOfDate(CheckFailed):
    """`paths`: the generated files that differ from what the specs compile to."""

    def __init__(self, message: str, paths: tuple[str, ...], mend: str) -> None:
        super().__init__(message, mend)
        self.paths = paths


class BuildFailed(CheckFailed):
    """dbt built what it could; a model or a data test failed."""


#: what DuckDB says → what to do about it
_WAREHOUSE_MENDS: Final = {
    "Could not set lock": "another process holds the warehouse: let it end, then try again",
    "different configuration": (
        "dbt still holds the warehouse in this process: say `keep_open: false` in the target of profiles.yml"
    ),
}


class OutOfReach(FsyncError):
    """Something outside this process does not answer."""

    exit_code = 3


class WarehouseOutOfReach(OutOfReach):
    """The warehouse cannot be opened: missing, locked by another process, or not ours to read."""

    def __init__(self, message: str) -> None:
        mend = next((mend for said, mend in _WAREHOUSE_MENDS.items() if said in message), None)
        super().__init__(message, mend)


class StoreOutOfReach(OutOfReach):
    """The online store does not answer, or refuses us."""


class PushUnderWay(StoreOutOfReach):
    """Another push of the same view is under way, here or on another machine."""


class LeaseLost(StoreOutOfReach):
    """This push was paused past the end of its lease, and has written nothing since."""
