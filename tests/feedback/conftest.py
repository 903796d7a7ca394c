from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.factories import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    """Give every test its own place for exports."""
    settings.HOME = tmp_path / "home"
    return tmp_path / "home"
