"""Telling a chat what alerts, and what is over: one message a round in which that has changed.

A message is sent by a thread of its own and tried again for a while, so that a chat that does not answer holds no
round up. The URL is a secret: messages name its host alone.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from fsync.errors import InputError
from fsync.instant import now, to_text
from fsync.watch.check import Check, Round
from fsync.watch.history import Line, Verdicts, line_of

#: how long the end of the program waits for messages that are not delivered yet, in seconds
PATIENCE: Final = 10.0
_TIMEOUT: Final = 5.0
#: tried again after 0.5, 1, 2 and 4 seconds, or as the server asks
_RETRIES: Final = Retry(
    total=4,
    read=0,  # what was sent and not answered in time has most likely come
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=frozenset({"POST"}),
)
#: as many alerts are told one by one
_MOST: Final = 20


def message(project: str, watched: Round, begun: Sequence[Check], over: Sequence[Check]) -> Mapping[str, Any]:
    """What a chat is told, as Slack takes it (others take its `text`): what began to alert, and what is over."""
    lines = [f"*{project}*: {len(watched.alerts)} alerting as of {to_text(watched.at)}"]
    lines += [f":red_circle: {_told(check)}: {check.sentence}" for check in begun[:_MOST]]
    lines += [f"and {len(begun) - _MOST} more that began"] if len(begun) > _MOST else []
    lines += [f":white_check_mark: {_told(check)} is over: {check.sentence}" for check in over[:_MOST]]
    lines += [f"and {len(over) - _MOST} more that are over"] if len(over) > _MOST else []
    return {"text": "\n".join(_escaped(line) for line in lines)}


def _told(check: Check) -> str:
    return f"{check.signal.replace('_', ' ')} of {check.feature}, {check.side} ({check.owner})"


def _escaped(text: str) -> str:
    # what Slack asks for: without it, < begins a link
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Undelivered:
    """What a chat was not told: checks of a round, looked at as of an instant in epoch milliseconds, and why.

    Without checks it is that nothing could be looked at.
    """

    at: int
    store: str | None
    checks: tuple[Check, ...]
    why: str


class Webhook:
    """Where messages go. `send` returns at once; `close` waits a moment for what is not delivered yet."""

    def __init__(self, url: str) -> None:
        """Raises InputError for what is no http(s) URL."""
        try:
            parts = urlsplit(url)
        except ValueError:  # such as of a bracket that is not closed
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError("a webhook is a URL such as https://hooks.example.com/services/…")
        self.host = parts.hostname
        self._url = url
        self._known: dict[Line, tuple[int, str]] = {}
        self._is_blind = False
        self._waiting: dict[_Message, None] = {}
        self._failed: list[Undelivered] = []
        self._messages: queue.Queue[_Message] = queue.Queue()
        threading.Thread(target=self._deliver, name="webhook", daemon=True).start()

    @property
    def id(self) -> str:
        """What tells it from other chats, and says nothing of its URL."""
        return hashlib.sha256(self._url.encode()).hexdigest()[:16]

    @property
    def known(self) -> Verdicts:
        """The last verdicts that the chat knows of, as far as this object has told it."""
        return dict(self._known)

    def send(self, project: str, watched: Round, begun: Sequence[Check], over: Sequence[Check]) -> None:
        """Let a chat know of a round: it is told if something began to alert, or is over."""
        self._is_blind = False
        self._known |= {line_of(one): (watched.at, one.verdict) for one in watched.checks if one.verdict != "unknown"}
        if begun or over:
            told = message(project, watched, begun, over)
            self._put(_Message(watched.at, watched.store, (*begun, *over), told))

    def send_problem(self, project: str, problem: str) -> None:
        """Have a chat told that nothing could be looked at, and why: once, until something can."""
        if not self._is_blind:
            self._is_blind = True
            told = {"text": _escaped(f"*{project}*: nothing could be looked at: {problem}")}
            self._put(_Message(now(), None, (), told))

    def undelivered(self) -> tuple[Undelivered, ...]:
        """What could not be delivered since this was asked last; the chat does not know of it."""
        failed, self._failed = self._failed, []
        for untold in failed:
            self._is_blind = self._is_blind and bool(untold.checks)
            for check in untold.checks:
                self._known.pop(line_of(check), None)
        return tuple(failed)

    def _put(self, sent: _Message) -> None:
        self._waiting[sent] = None
        self._messages.put(sent)

    def close(self, patience: float = PATIENCE) -> None:
        """Wait until everything is delivered or given up, but at most so many seconds."""
        waiting = threading.Thread(target=self._messages.join, daemon=True)
        waiting.start()
        waiting.join(patience)
        if waiting.is_alive():
            for late in tuple(self._waiting):
                self._fail(late, f"has not taken a message within {patience:g} s")

    def _deliver(self) -> None:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))
            while True:
                sent = self._messages.get()
                try:
                    # one that is sent elsewhere becomes a GET without a message
                    answer = session.post(self._url, json=sent.text, timeout=_TIMEOUT, allow_redirects=False)
                    if answer.ok and not answer.is_redirect:
                        self._waiting.pop(sent, None)
                    else:
                        self._fail(sent, f"does not take messages ({answer.status_code})")
                except requests.exceptions.RetryError:
                    self._fail(sent, "has answered every time that it is not able to take messages now")
                except requests.Timeout:
                    self._fail(sent, "does not answer")
                except requests.ConnectionError:
                    self._fail(sent, "cannot be reached: does the host exist, and does something listen there?")
                except Exception as error:  # whatever it is, messages after it are to be delivered
                    self._fail(sent, f"cannot be asked ({type(error).__name__})")
                finally:
                    self._messages.task_done()

    def _fail(self, sent: _Message, why: str) -> None:
        # what was given up already has failed once
        if sent in self._waiting:
            del self._waiting[sent]
            self._failed.append(Undelivered(sent.at, sent.store, sent.checks, f"the webhook at {self.host} {why}"))


@dataclass(frozen=True, eq=False)
class _Message:
    at: int
    store: str | None
    checks: tuple[Check, ...]
    text: Mapping[str, Any]
