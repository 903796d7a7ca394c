"""However many batches wait for workers that hang, load balancers and who asks for a check are answered at once."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import redis

from tests.interception.conftest import ApiClient, asgi_messages, in_a_loop, scope_of
from webapp.asgi import THREADS
from webapp.interception.screening import client
from workers.broker import QUEUES
from workers.messages import alive_key

pytestmark = pytest.mark.faults
DEADLINE_SECONDS = 8.0
#: A machine with much else to do takes its time; whoever is behind the batches waits for their deadline.
SOON = 4.0


@pytest.fixture
def hanging(own_broker: str) -> None:
    """Have workers be said to live that read nothing."""
    with redis.Redis.from_url(own_broker) as broker:
        for queue in QUEUES.values():
            broker.set(alive_key(queue), "1", ex=600)


@pytest.mark.usefixtures("hanging")
def test_probes_and_reads_do_not_wait_behind_batches(api: ApiClient) -> None:
    check = {"output": "fine", "policy": "support-bot", "deadline_ms": int(DEADLINE_SECONDS * 1000)}
    body = json.dumps({"checks": [check]}).encode()
    batch = {**scope_of(api.key, body), "path": "/v1/checks/batch"}
    quick = {**scope_of(api.key, b""), "method": "GET"}

    async def all_of_them() -> tuple[dict[str, tuple[int, float]], list[Any]]:
        batches = [asyncio.create_task(asgi_messages(batch, body)) for _ in range(THREADS + 8)]
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(client()._calls._tickets) < THREADS:  # each holds a thread
                await asyncio.sleep(0.01)
        found = {}
        for path in ("/healthz", "/readyz", f"/v1/checks/chk_{'0' * 32}"):
            began = time.monotonic()
            start, *_ = await asgi_messages({**quick, "path": path}, b"")
            found[path.split("/")[1]] = (start["status"], time.monotonic() - began)
        assert not any(one.done() for one in batches), "they were to wait"
        return found, await asyncio.gather(*batches)

    found, batches = in_a_loop(all_of_them())
    # Whether the host is ready is not the question here.
    assert [found[name][0] for name in ("healthz", "v1")] == [200, 404]
    assert sum(seconds for _, seconds in found.values()) < SOON, found
    assert {start["status"] for start, *_ in batches} == {200}
