"""What the documents say is done, and what they show is what comes out.

In README.md and docs/*.md: a `console` block is run line by line (`$ command`, then what it prints), a `python`
block runs in the project's folder and prints the `text` block after it, and a `yaml` block is a spec that compiles.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fsync_cli.main import run
from tests.conftest import ROOT, Ended, copy_reference, settings

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where the text begins in its document."""

    language: str
    text: str
    start: int


def _blocks(document: Path) -> list[Block]:
    return [Block(match[1], match[2], match.start(2)) for match in BLOCK.finditer(document.read_text())]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole reference warehouse, built and pushed, in a folder with a space."""
    folder = copy_reference(tmp_path_factory.mktemp("docs") / "a clone")
    for example in (ROOT / "docs/examples").glob("*.py"):
        shutil.copy(example, folder)
    for command in (["build"], ["push", "--as-of", "1998-07-01"]):
        assert run([*command, "--project-dir", str(folder)]) == 0
    return folder


def _run(project: Path, command: list[str] | str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command,
        cwd=project,
        env=environment,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_shows_is_what_comes_out(document: Path, project: Path, bless: bool) -> None:
    text = document.read_text()
    shown, real = [], []
    blocks = _blocks(document)
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if block.language == "console":
            shown.append(block)
            real.append("".join(_told(project, line) for line in block.text.splitlines() if line.startswith("$ ")))
        elif block.language == "python" and following is not None and following.language == "text":
            done = _run(project, [sys.executable, "-c", block.text])
            assert done.returncode == 0, done.stderr
            shown.append(following)
            real.append(done.stdout)
    for block, output in reversed(list(zip(shown, real, strict=True))):
        text = text[: block.start] + output + text[block.start + len(block.text) :]
    if bless:
        document.write_text(text)
    assert text == document.read_text()


def _told(project: Path, line: str) -> str:
    """A line of a console block, and what its command prints on stdout."""
    done = _run(project, line.removeprefix("$ "))
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return f"{line}\n{done.stdout}"


SPECS = {
    f"{document.stem}-{number}": block.text
    for document in DOCUMENTS
    for number, block in enumerate(block for block in _blocks(document) if block.language == "yaml")
}


@pytest.mark.parametrize("name", SPECS)
def test_every_spec_in_the_documents_compiles(name: str, tmp_path: Path, fsync: Callable[..., Ended]) -> None:
    (tmp_path / "dbt_project.yml").write_text(settings())
    shutil.copytree(ROOT / "models/staging", tmp_path / "models/staging")
    specs = tmp_path / "feature_specs"
    if "features: [" in SPECS[name]:  # a service, of the reference's features
        shutil.copytree(ROOT / "feature_specs", specs)
        (specs / "services" / f"{SPECS[name].split()[1]}.yml").write_text(SPECS[name])
    else:
        specs.mkdir()
        (specs / f"{name}.yml").write_text(SPECS[name])
    ended = fsync("compile", "--project-dir", tmp_path)
    assert ended.code == 0, ended.err
