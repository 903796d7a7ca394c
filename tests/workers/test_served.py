"""Classifiers in a worker: loaded aside, tried again after a failure, never in the way of others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from screening.findings import Deadline, Prediction
from workers import served
from workers.served import Lane, ModelLoading


class Slow:
    """A classifier whose loading and whose answers wait for a word."""

    version = "slow@1"
    categories = ("hate",)

    def __init__(self) -> None:
        self.may_load = threading.Event()
        self.failures = 0
        self.loads = 0
        self.lanes: list[Lane] = []

    def lane(self) -> Lane:
        self.lanes.append(Lane("slow", self.load))
        return self.lanes[-1]

    def load(self, name: str) -> Slow:
        self.loads += 1
        assert self.may_load.wait(30)
        if self.failures:
            self.failures -= 1
            raise OSError(f"no files for {name}")
        return self

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        return [Prediction({"hate": 0.5}) for _ in texts]


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.may_load.set()
    for lane in slow.lanes:
        lane.close()


def test_nobody_waits_while_a_model_is_loaded(slow: Slow) -> None:
    lane = slow.lane()
    with pytest.raises(ModelLoading):
        lane.classify(["text"], [Deadline()])
    with pytest.raises(ModelLoading):
        lane.classify(["text"], [Deadline()])
    slow.may_load.set()
    loading = lane.load()
    if loading is not None:
        loading.result(30)
    assert lane.classify(["text"], [Deadline()]).result(30).version == "slow@1"
    assert slow.loads == 1


def test_a_failed_load_is_not_repeated_for_every_check_but_later(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.failures = 1
    slow.may_load.set()
    lane = slow.lane()
    first = lane.load()
    assert first is not None
    first.result(30)
    for _ in range(3):
        with pytest.raises(OSError, match="no files for slow"):
            lane.classify(["text"], [Deadline()])
    assert slow.loads == 1
    monkeypatch.setattr(served, "RETRY_SECONDS", 0.0)
    again = lane.load()
    if again is not None:
        again.result(30)
    assert lane.classify(["text"], [Deadline()]).result(30).predictions[0].scores == {"hate": 0.5}
