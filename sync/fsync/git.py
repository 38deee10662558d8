"""What git knows of a project: its commit, and its files as of another one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from fsync.errors import InputError


def commit(folder: Path) -> str | None:
    """The commit that a folder is checked out at, `-dirty` where files differ from it; None without git or a commit."""
    try:
        head = _git(folder, "rev-parse", "HEAD").decode().strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}-dirty" if changed.strip() else head


def unpack(folder: Path, ref: str, into: Path) -> Path:
    """Put a folder's files, as of a commit, branch or tag, below another folder; where they stand there.

    Raises:
        InputError: when the folder is in no repository of git's, or there is no such commit.
    """
    try:
        inside = _git(folder, "rev-parse", "--show-prefix").decode().strip()
        sha = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
        archive = _git(folder, "archive", "--format=tar", sha)
    except FileNotFoundError as error:
        raise InputError("there is no git on this machine", "install it, or compare with what is deployed") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip() or f"there is no commit {ref!r}"
        raise InputError(f"git cannot give {ref!r}: {said}", "name a commit, a branch or a tag") from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(into, filter="data")
    # `git archive` of a folder within a repository gives that folder alone
    return into / inside if (into / inside).is_dir() else into


def _git(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    return done.stdout
