"""Telling a chat what alerts, and what is over: one message a round in which that has changed.

A message is sent by a thread of its own and tried again for a while, so that a chat that does not answer holds no
round up. The URL is a secret: messages name its host alone.
"""

from __future__ import annotations

import hashlib
import itertools
import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.watch.check import Check, Line, Round, Verdicts, line_of, verdicts_of
from fsync.watch.rounds import Watched
from fsync.watch.told import Chat

#: how long the end of the program waits for messages that are not delivered yet, in seconds
PATIENCE: Final = 10.0
#: to connect, and to be answered, in seconds: a thread waits, and what was sent may well have come
_TIMEOUT: Final = (5.0, 30.0)
#: tried again after 0.5, 1, 2 and 4 seconds, or as the server asks
_RETRIES: Final = Retry(
    total=4,
    read=0,  # what was sent and not answered may have come: it is not sent again at once
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
class _Message:
    """What is on its way to a chat. `opposite` has the verdicts that it knows if it does not arrive."""

    text: Mapping[str, Any]
    opposite: Verdicts


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
        self._amended: dict[Line, str] = {}
        self._is_blind = False
        # by the number of the message; whoever takes one out has it
        self._waiting: dict[int, _Message] = {}
        self._numbers = itertools.count()
        self._failed: deque[tuple[_Message, str]] = deque()
        self._messages: queue.Queue[int] = queue.Queue()
        threading.Thread(target=self._deliver, name="webhook", daemon=True).start()

    @property
    def chat(self) -> Chat:
        """Whom it tells. Its id says nothing of the URL."""
        return Chat(hashlib.sha256(self._url.encode()).hexdigest()[:16], dict(self._amended))

    def send(self, project: str, found: Watched) -> None:
        """Let a chat know of a round: it is told if something began to alert, or is over."""
        self._is_blind = False
        # what is kept, the warehouse knows
        self._amended = {} if found.unkept is None else {**self._amended, **verdicts_of(found.round.checks)}
        if found.begun or found.over:
            opposite = dict.fromkeys(map(line_of, found.begun), "ok") | dict.fromkeys(map(line_of, found.over), "alert")
            self._put(_Message(message(project, found.round, found.begun, found.over), opposite))

    def send_problem(self, project: str, problem: str) -> None:
        """Have a chat told that nothing could be looked at, and why: once, until something can."""
        if not self._is_blind:
            self._is_blind = True
            self._put(_Message({"text": _escaped(f"*{project}*: nothing could be looked at: {problem}")}, {}))

    def undelivered(self) -> tuple[str, ...]:
        """Why messages could not be delivered since this was asked last: the chat does not know what they say."""
        found = []
        while self._failed:
            sent, why = self._failed.popleft()
            self._amended |= sent.opposite
            self._is_blind = self._is_blind and bool(sent.opposite)
            found.append(f"the webhook at {self.host} {why}")
        return tuple(found)

    def close(self, patience: float = PATIENCE) -> None:
        """Wait until everything is delivered or given up, but at most so many seconds."""
        waiting = threading.Thread(target=self._messages.join, daemon=True)
        waiting.start()
        waiting.join(patience)
        if waiting.is_alive():
            for number in tuple(self._waiting):
                self._fail(number, f"has not taken a message within {patience:g} s")

    def _put(self, sent: _Message) -> None:
        number = next(self._numbers)
        self._waiting[number] = sent
        self._messages.put(number)

    def _deliver(self) -> None:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))
            while True:
                number = self._messages.get()
                if (why := self._failure(session, self._waiting.get(number))) is None:
                    self._waiting.pop(number, None)
                else:
                    self._fail(number, why)
                self._messages.task_done()

    def _failure(self, session: requests.Session, sent: _Message | None) -> str | None:
        """Why a message cannot be delivered; None for one that is."""
        if sent is None:
            return None  # given up meanwhile
        try:
            # one that is sent elsewhere becomes a GET without a message
            answer = session.post(self._url, json=sent.text, timeout=_TIMEOUT, allow_redirects=False)
        except requests.exceptions.RetryError:
            return "has answered every time that it is not able to take messages now"
        except requests.Timeout:
            return "does not answer"
        except requests.ConnectionError:
            return "cannot be reached: does the host exist, and does something listen there?"
        except Exception as error:  # whatever it is, messages after it are to be delivered
            return f"cannot be asked ({type(error).__name__})"
        is_taken = answer.ok and not answer.is_redirect
        return None if is_taken else f"does not take messages ({answer.status_code})"

    def _fail(self, number: int, why: str) -> None:
        # what was given up already has failed once
        if (sent := self._waiting.pop(number, None)) is not None:
            self._failed.append((sent, why))
