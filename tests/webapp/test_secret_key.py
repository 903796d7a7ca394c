"""The installation's secret is made once, as a whole or not at all."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import pytest

from webapp import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    return tmp_path


def test_the_key_is_made_once_and_private(home: Path) -> None:
    key = settings._secret_key()
    assert len(key) >= 50
    assert settings._secret_key() == key
    assert [path.name for path in (home / "keys").iterdir()] == ["secret.key"]
    assert (home / "keys" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_start_that_dies_while_making_the_key_leaves_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: int) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(secrets, "token_urlsafe", die)
        with pytest.raises(KeyboardInterrupt):
            settings._secret_key()
    assert list((home / "keys").iterdir()) == []
    assert settings._secret_key()


def test_processes_that_start_together_share_one_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(4)
    make = secrets.token_urlsafe

    def make_together(length: int) -> str:
        together.wait(10)  # all of them have seen that there is no key
        return make(length)

    monkeypatch.setattr(secrets, "token_urlsafe", make_together)
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(settings._secret_key())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert keys[0]
