"""Telling a chat what alerts, and what is over: one message a round in which that has changed.

A message is sent by a thread of its own and tried again for a while, so that a chat that does not answer holds no
round up. The URL is a secret: messages name its host alone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.watch.check import Check, Round

#: how long the end of the program waits for messages that are not delivered yet, in seconds
PATIENCE: Final = 10.0
_TIMEOUT: Final = 5.0
#: tried again after 0.5, 1, 2, 4 and 8 seconds, or as the server asks
_RETRIES: Final = Retry(
    total=5,
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
        self._failed: list[str] = []
        self._messages: queue.Queue[Mapping[str, Any]] = queue.Queue()
        threading.Thread(target=self._deliver, name="webhook", daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Have a message delivered."""
        self._messages.put(message)

    def problems(self) -> tuple[str, ...]:
        """What could not be delivered since this was asked last, and why."""
        failed, self._failed = self._failed, []
        return tuple(failed)

    def close(self, patience: float = PATIENCE) -> None:
        """Wait until everything is delivered or given up, but at most so many seconds."""
        waiting = threading.Thread(target=self._messages.join, daemon=True)
        waiting.start()
        waiting.join(patience)
        if waiting.is_alive():
            self._failed.append(f"the webhook at {self.host} has not answered for {patience:g} s")

    def _deliver(self) -> None:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))
            while True:
                told = self._messages.get()
                try:
                    session.post(self._url, json=told, timeout=_TIMEOUT).raise_for_status()
                except requests.RequestException as error:
                    status = "" if error.response is None else f" ({error.response.status_code})"
                    self._failed.append(f"the webhook at {self.host} does not take messages{status}")
                finally:
                    self._messages.task_done()
