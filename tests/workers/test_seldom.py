"""What happens often is told of once a minute, with how often it was."""

from __future__ import annotations

import pytest

from webapp.interception import doors
from workers import seldom
from workers.client import Overloaded
from workers.seldom import Seldom


def test_the_first_is_told_of_at_once_and_the_rest_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("workers.seldom.time.monotonic", lambda: clock)
    happened = Seldom()
    assert [happened.due() for _ in range(4)] == [1, 0, 0, 0]
    clock += seldom.SECONDS
    assert [happened.due() for _ in range(3)] == [4, 0, 0]


def test_refused_checks_are_counted_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(doors, "_refused", Seldom())
    for _ in range(3):
        assert doors.overloaded(Overloaded()).status == 503
    (line,) = caplog.messages
    assert "refused 1 checks" in line
