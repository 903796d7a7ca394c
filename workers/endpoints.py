"""Chat completions at OpenAI-compatible endpoints: the only calls out that a worker makes, to configured addresses.

Exceptions; each makes the rule unscanned, with the name of its class as the reason:

    EndpointError
    ├── EndpointUnreachable    no connection, or it broke
    ├── EndpointRefused        an answer of 3xx or 4xx
    ├── EndpointFailed         an answer of 5xx
    ├── EndpointBusy           too many calls wait for it here
    ├── AnswerTooLarge         more than MAX_ANSWER bytes
    ├── AnswerMalformed        not a chat completion
    └── KeyMissing             the environment variable of its key is not set
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from screening.detectors.served import Reply, Token
from screening.findings import Deadline, DeadlineExceeded
from screening.models_file import GuardLlm
from workers.timed_network import Limit, timed_transport

log = logging.getLogger(__name__)

MAX_ANSWER = 256 * 1024
MAX_WAITING = 1_024


class EndpointError(Exception):
    """A call failed. Messages name the endpoint and a status, never a text or a key."""


class EndpointUnreachable(EndpointError):
    pass


class EndpointRefused(EndpointError):
    pass


class EndpointFailed(EndpointError):
    pass


class EndpointBusy(EndpointError):
    pass


class AnswerTooLarge(EndpointError):
    pass


class AnswerMalformed(EndpointError):
    pass


class KeyMissing(EndpointError):
    pass


class _Candidate(BaseModel):
    token: str
    logprob: float


class _Token(_Candidate):
    top_logprobs: list[_Candidate] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class Endpoint:
    """One guard LLM's endpoint: as many calls at once as configured. Safe for threads."""

    def __init__(self, name: str, config: GuardLlm) -> None:
        self._name, self._config = name, config
        self._threads = ThreadPoolExecutor(config.concurrency, thread_name_prefix=f"llm-{name}")
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        # Neither proxies nor credentials of the environment, and no address but the configured one.
        self._limit = Limit()
        self._http = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            transport=timed_transport(self._limit, connections=config.concurrency),
        )

    def chat(self, body: Mapping[str, Any], deadline: Deadline) -> Future[Reply]:
        """Send one chat completion when a place is free; raise EndpointBusy when too many wait.

        The future fails with an EndpointError, or with DeadlineExceeded at the earlier of `deadline` and the
        configured time limit.
        """
        if not self._places.acquire(blocking=False):
            raise EndpointBusy
        future = self._threads.submit(self._send, body, deadline)
        future.add_done_callback(lambda _: self._places.release())
        return future

    def close(self) -> None:
        """Give up threads and connections, after the calls under way."""
        self._threads.shutdown(cancel_futures=True)
        self._http.close()

    def _send(self, body: Mapping[str, Any], deadline: Deadline) -> Reply:
        deadline.check()
        until = Deadline(min(deadline.at, Deadline.after_ms(self._config.timeout_ms).at))
        raw = self._post({**body, "model": self._config.model, "temperature": 0, "stream": False}, until)
        try:
            return _reply(_Completion.model_validate_json(raw))
        except ValidationError:
            raise AnswerMalformed(self._name) from None

    def _post(self, body: Mapping[str, Any], until: Deadline) -> bytes:
        url = f"{self._config.url.rstrip('/')}/chat/completions"
        self._limit.until = until
        try:
            with self._http.stream("POST", url, json=body, headers=self._headers(), timeout=until.remaining()) as got:
                if got.status_code != httpx.codes.OK:
                    log.warning("%s answered %s", self._name, got.status_code)
                    raise (EndpointFailed if got.is_server_error else EndpointRefused)(self._name)
                return self._bounded(got, until)
        except httpx.TimeoutException:
            raise DeadlineExceeded from None
        except httpx.HTTPError as error:
            log.warning("%s: %s", self._name, type(error).__name__)
            raise EndpointUnreachable(self._name) from None

    def _bounded(self, response: httpx.Response, until: Deadline) -> bytes:
        raw = bytearray()
        for piece in response.iter_bytes():
            raw += piece
            if len(raw) > MAX_ANSWER:
                raise AnswerTooLarge(self._name)
            until.check()  # one read can bring thousands of pieces
        return bytes(raw)

    def _headers(self) -> dict[str, str]:
        if self._config.api_key_env is None:
            return {}
        key = os.environ.get(self._config.api_key_env, "")
        if not key:
            raise KeyMissing(self._config.api_key_env)
        return {"Authorization": f"Bearer {key}"}


def _reply(completion: _Completion) -> Reply:
    choice = completion.choices[0]
    given = choice.logprobs.content if choice.logprobs else None
    tokens = tuple(
        Token(token.token, {token.token: token.logprob} | {each.token: each.logprob for each in token.top_logprobs})
        for token in given or ()
    )
    return Reply(choice.message.content or "", tokens, cut=choice.finish_reason == "length")
