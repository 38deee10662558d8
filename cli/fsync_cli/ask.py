"""Questions to a person at a terminal: on stderr, each with what is likely the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any, Final

import typer

from fsync_cli.console import say

#: of a long list, as many are shown
_SHOWN: Final = 20


def is_anybody_there() -> bool:
    """Whether questions can be answered."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(
    question: str,
    guess: str | None = None,
    *,
    offered: Sequence[str] = (),
    problem: Callable[[str], str | None] = lambda _: None,
) -> str:
    """An answer, without spaces around it, with which there is no `problem`.

    Raises:
        KeyboardInterrupt: when the person breaks off.
    """
    if offered:
        more = f", … and {len(offered) - _SHOWN} more" if len(offered) > _SHOWN else ""
        say(f"  {', '.join(offered[:_SHOWN])}{more}")
    while True:
        answer = str(_answered(typer.prompt, question, default=guess)).strip()
        said = problem(answer) if answer else "something has to stand here"
        if said is None:
            return answer
        say("\n".join(f"  {line}" for line in said.splitlines()))


def agree(question: str, *, guess: bool = True) -> bool:
    """Yes or no; raises KeyboardInterrupt when the person breaks off."""
    return bool(_answered(typer.confirm, question, default=guess))


def _answered(prompt: Callable[..., Any], question: str, **how: Any) -> Any:
    try:
        # stdout is data: some versions of the prompt write there while a person types
        with redirect_stdout(sys.stderr):
            return prompt(question, err=True, **how)
    except typer.Abort:
        say()
        raise KeyboardInterrupt from None
