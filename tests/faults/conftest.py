"""An app, and a broker, that a test may break."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.factories import make_cast
from tests.interception.conftest import ApiClient
from tests.live import LiveApp
from webapp.interception import screening
from workers.client import ScreenClient


@pytest.fixture
def fake_app() -> Iterator[LiveApp]:
    """Run the whole app for one test, with the guard model that looks at nothing."""
    with tempfile.TemporaryDirectory(prefix="countersign-fault-") as place:
        app = LiveApp(Path(place) / "var", env={"COUNTERSIGN_GUARD_MODEL": "fake", "COUNTERSIGN_DEVICE": "cpu"})
        try:
            yield app.wait_ready()
        finally:
            if app.process.poll() is None:
                app.stop()


@pytest.fixture(scope="module")
def own_broker(redis_url: str) -> Iterator[str]:
    """Give the address of another database of the session's Redis, which no worker serves yet."""
    url = redis_url.removesuffix("/0") + "/8"
    with redis.Redis.from_url(url) as broker:
        broker.flushdb()
        yield url
        broker.flushdb()


@pytest.fixture
def api(transactional_db: None, own_broker: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiClient]:
    """Ask this process as the fixed cast's application; checks go to `own_broker`, rows are committed."""
    client = ScreenClient(own_broker)
    monkeypatch.setattr(screening, "_client", client)
    yield ApiClient(make_cast().api_key)
    client.close()
