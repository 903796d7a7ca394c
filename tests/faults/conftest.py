"""An app that a test may break."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveApp


@pytest.fixture
def fake_app() -> Iterator[LiveApp]:
    """Run the whole app for one test, with the guard model that looks at nothing."""
    with tempfile.TemporaryDirectory(prefix="countersign-fault-") as place:
        app = LiveApp(Path(place) / "var", env={"COUNTERSIGN_GUARD_MODEL": "fake"})
        try:
            yield app.wait_ready()
        finally:
            if app.process.poll() is None:
                app.stop()
