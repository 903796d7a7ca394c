from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> None:
    """Give every test its own place for exports, and its own key for audit checkpoints."""
    settings.HOME = tmp_path / "home"
    settings.AUDIT_KEY_FILE = tmp_path / "keys" / "audit.pem"
