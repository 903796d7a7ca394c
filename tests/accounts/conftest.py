from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.factories import Cast, make_cast


@pytest.fixture
def quick_passwords(settings: Settings) -> None:
    """Hash passwords with what costs nothing: the real hasher takes most of a second for the cast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast(db: None, quick_passwords: None) -> Cast:
    return make_cast()
