"""Classifiers in a worker: loaded aside, tried again after a failure, never in the way of others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest

from screening.detectors.served import Classified
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
        self.reads: list[list[str]] = []
        self.reading = threading.Semaphore(0)
        self.may_read = threading.Event()
        self.may_read.set()

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
        self.reads.append(list(texts))
        self.reading.release()
        assert self.may_read.wait(30)
        if "poison" in texts:
            raise ValueError("unreadable")
        return [Prediction({"hate": 0.5 if text == "text" else len(text) / 100}) for text in texts if text != "eaten"]


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.may_load.set()
    slow.may_read.set()
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


def reading(slow: Slow) -> tuple[Lane, Future[Classified]]:
    """Return a lane whose classifier is in the middle of a first message, and the answer to that."""
    slow.may_load.set()
    lane = slow.lane()
    loading = lane.load()
    assert loading is not None
    loading.result(30)
    slow.may_read.clear()
    first = lane.classify(["text"], [Deadline()])
    assert slow.reading.acquire(timeout=30)
    return lane, first


def scores(answer: Future[Classified]) -> list[float]:
    return [prediction.scores["hate"] for prediction in answer.result(30).predictions]


def test_messages_that_come_while_it_reads_are_read_together_each_with_its_own_answers(slow: Slow) -> None:
    lane, first = reading(slow)
    answers = [lane.classify(texts, [Deadline()] * len(texts)) for texts in (["a"], ["bb", "ccc"], ["dddd"])]
    slow.may_read.set()
    assert scores(first) == [0.5]
    assert [scores(answer) for answer in answers] == [[0.01], [0.02, 0.03], [0.04]]
    assert slow.reads == [["text"], ["a", "bb", "ccc", "dddd"]]


def test_no_message_joins_once_enough_are_read_together(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "TOGETHER", 2)
    lane, _ = reading(slow)
    answers = [lane.classify(texts, [Deadline()] * len(texts)) for texts in (["a"], ["bb", "ccc"], ["dddd"])]
    slow.may_read.set()
    assert [scores(answer) for answer in answers] == [[0.01], [0.02, 0.03], [0.04]]
    assert slow.reads == [["text"], ["a", "bb", "ccc"], ["dddd"]]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [("poison", ValueError, "unreadable"), ("eaten", RuntimeError, "0 answers for 1 texts")],
)
def test_what_breaks_a_reading_costs_no_other_message_its_answer_and_gives_it_to_nobody_else(
    slow: Slow, text: str, error: type[Exception], message: str
) -> None:
    lane, _ = reading(slow)
    before, broken, after = (lane.classify([one], [Deadline()]) for one in ("a", text, "bb"))
    slow.may_read.set()
    assert (scores(before), scores(after)) == ([0.01], [0.02])
    with pytest.raises(error, match=message):
        broken.result(30)


def test_a_message_without_a_deadline_for_each_text_is_refused_and_not_forgotten(slow: Slow) -> None:
    lane, _ = reading(slow)
    faulty, other = lane.classify(["a", "bb"], [Deadline()]), lane.classify(["ccc"], [Deadline()])
    slow.may_read.set()
    assert scores(other) == [0.03]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        faulty.result(30)


def test_what_was_given_up_is_not_read(slow: Slow) -> None:
    lane, _ = reading(slow)
    given_up, other = (lane.classify([text], [Deadline()]) for text in ("a", "bb"))
    assert given_up.cancel()
    slow.may_read.set()
    assert scores(other) == [0.02]
    assert slow.reads == [["text"], ["bb"]]
