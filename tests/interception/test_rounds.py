"""Items that are put while a round is on are done together; times, order, and work that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.faults.waiting import wait_until
from webapp.interception.rounds import Rounds, Turns

SECONDS = 10


class Work:
    """Notes its rounds, and waits in each until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, items: list[int]) -> None:
        self.rounds.append(items)
        self.begun.release()
        assert self.go.acquire(timeout=SECONDS)
        if 13 in items:
            raise ValueError("13")

    def let(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            assert self.begun.acquire(timeout=SECONDS)
            self.go.release()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody lose patience while the machine is busy."""
    monkeypatch.setattr("webapp.interception.rounds.TURN_SECONDS", SECONDS)


def test_what_came_meanwhile_is_the_next_round(work: Work) -> None:
    rounds = Rounds("test", work, most=100)
    rounds.put([1])
    assert work.begun.acquire(timeout=SECONDS)
    rounds.put([2])
    rounds.put([3, 4])
    work.go.release()
    work.let()
    assert work.rounds == [[1], [2, 3, 4]]


def test_a_round_has_no_more_than_it_may(work: Work) -> None:
    rounds = Rounds("test", work, most=2)
    rounds.put([1, 2, 3, 4, 5])
    work.let(3)
    assert work.rounds == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize("count", [1, 2])
def test_work_that_fails_ends_nothing(work: Work, count: int, caplog: pytest.LogCaptureFixture) -> None:
    rounds = Rounds("test", work, most=count)
    rounds.put([13] * count)
    rounds.put([1])
    work.let(2)
    assert work.rounds == [[13] * count, [1]]
    assert [record.getMessage() for record in caplog.records] == ["test: ValueError"]


@pytest.mark.usefixtures("patient")
def test_rounds_of_one_turn_are_done_one_after_the_other(work: Work) -> None:
    _, first, second = in_turn(work, most=10)
    first.put([1])
    assert work.begun.acquire(timeout=SECONDS)
    second.put([2])
    second.put([3])
    work.go.release()
    work.let()
    assert work.rounds == [[1], [2, 3]]


@pytest.mark.usefixtures("patient")
def test_who_waits_has_the_next_turn_also_when_who_had_it_comes_again(work: Work) -> None:
    turns, first, second = in_turn(work, most=1)
    first.put([1, 2, 3])
    assert work.begun.acquire(timeout=SECONDS)
    second.put([10, 20])
    for _ in range(4):
        wait_until(lambda: len(turns._line) == 2, "who had the last turn waits again")
        work.go.release()
        assert work.begun.acquire(timeout=SECONDS)
    work.go.release()
    assert work.rounds == [[1], [10], [2], [20], [3]]


def test_a_round_that_takes_long_does_not_hold_up_the_others(work: Work) -> None:
    _, first, second = in_turn(work, most=10)
    first.put([1])
    assert work.begun.acquire(timeout=SECONDS)
    second.put([2])
    assert work.begun.acquire(timeout=SECONDS)
    assert work.rounds == [[1], [2]]
    work.go.release(2)


def in_turn(work: Work, most: int) -> tuple[Turns, Rounds[int], Rounds[int]]:
    turns = Turns()
    return turns, Rounds("first", work, most, turns), Rounds("second", work, most, turns)


def noting() -> tuple[list[tuple[int, float]], Callable[[list[int]], None], threading.Semaphore]:
    done: list[tuple[int, float]] = []
    came = threading.Semaphore(0)

    def work(items: list[int]) -> None:
        for item in items:
            done.append((item, time.monotonic()))
            came.release()

    return done, work, came


def test_what_is_put_for_later_is_done_at_its_time_and_in_its_order() -> None:
    done, work, came = noting()
    rounds = Rounds("test", work, most=10)
    start = time.monotonic()
    rounds.put_later([(start + 0.1, 2), (start + 0.05, 1)])
    rounds.put([0])
    for _ in range(3):
        assert came.acquire(timeout=SECONDS)
    assert [item for item, _ in done] == [0, 1, 2]
    assert all(at >= start + 0.05 * item for item, at in done)
