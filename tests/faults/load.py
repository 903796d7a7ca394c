"""Clients that send checks without pause, retry until they are answered, and remember what they were told."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

#: What a client may wait for one answer before it tries again.
REQUEST_SECONDS = 15.0
PAUSE_SECONDS = 0.1
BETWEEN_SECONDS = 0.02


def send(port: int, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, dict[str, Any]]:
    """Return status and JSON answer; raises OSError or http.client.HTTPException when there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = connection.getresponse()
        raw = response.read()
    answer: dict[str, Any] = json.loads(raw) if raw.startswith(b"{") else {}
    return response.status, answer


@dataclass
class Asked:
    """One check as its client saw it. `told`: every concluded answer; `ids`: every id it was given."""

    key: str
    output: str
    later: bool
    ids: set[str] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0

    def hear(self, answer: dict[str, Any]) -> None:
        self.ids.add(answer["id"])
        if answer["state"] == "concluded":
            self.told.append(answer)


class Load:
    """`clients` threads, each with one check at a time; every answer is asked for again by GET.

    Every fourth check is asynchronous; every fifth is sent again, under its key, once it was answered.
    """

    def __init__(self, port: int, api_key: str, *, clients: int) -> None:
        self.asked: list[Asked] = []
        #: Statuses of answers that are neither 200 nor 202, and "none" for tries without any; with their number.
        self.refusals: dict[str, int] = {}
        self._port = port
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> None:
        """Let every client finish the check that it is at; fail when one does not within `seconds`."""
        self._stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._threads), "clients still wait for answers"

    def probe(self, key: str, *, later: bool) -> dict[str, Any]:
        """Ask one more check, and return its first concluded answer."""
        asked = Asked(key=key, output="Write to probe@example.com.", later=later)
        self.asked.append(asked)
        self._conclude(asked)
        return asked.told[0]

    def _work(self, client: int) -> None:
        number = 0
        draw = random.Random(client)
        while not self._stopping.wait(BETWEEN_SECONDS):
            number += 1
            text = f"Order {number} of client {client} is on its way."
            if draw.random() < 0.5:
                text += f" Write to client{client}.{number}@example.com."
            asked = Asked(key=f"{client}-{number}", output=text, later=number % 4 == 0)
            self.asked.append(asked)
            self._conclude(asked)
            if number % 5 == 0:
                self._post(asked)

    def _conclude(self, asked: Asked) -> None:
        self._post(asked)
        while not asked.told:
            time.sleep(PAUSE_SECONDS)  # a client that polls
            self._get(asked)
        self._get(asked)

    def _post(self, asked: Asked) -> None:
        body = {"output": asked.output, "wait": not asked.later}
        self._until_answered(asked, "POST", "/v1/checks", {"Idempotency-Key": asked.key}, body)

    def _get(self, asked: Asked) -> None:
        self._until_answered(asked, "GET", f"/v1/checks/{min(asked.ids)}", {}, None)

    def _until_answered(self, asked: Asked, method: str, path: str, headers: dict[str, str], body: Any) -> None:
        while True:
            asked.tries += 1
            try:
                status, answer = send(self._port, method, path, {**self._headers, **headers}, body)
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 0, {}
            if status in (200, 202):
                return asked.hear(answer)
            with self._lock:
                name = str(status or "none")
                self.refusals[name] = self.refusals.get(name, 0) + 1
            time.sleep(PAUSE_SECONDS)  # a client that tries again
