"""The guard model as workers serve it: threads share batches, and each gets what the plain pass says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from screening.findings import DEADLINE, Deadline
from workers.batching import Closed
from workers.model import DEFAULT_FOLDER, ModelUnavailable, load_model, serve_model
from workers.runtimes.choice import MOST
from workers.runtimes.shared import OVERLOADED, SharedGuard

TEXTS = [f"Letter {n}: you are {word}. " * (1 + n % 7) for n in range(24) for word in ("kind", "a worthless idiot")]


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedGuard]:
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision="fp32")
    yield guard
    guard.close()


def test_many_callers_get_what_the_plain_pass_says(shared: SharedGuard) -> None:
    plain = load_model("", "cpu").predict(TEXTS)
    before = shared.batcher.counts.batches
    with ThreadPoolExecutor(8) as callers:
        groups = [TEXTS[start : start + 4] for start in range(0, len(TEXTS), 4)]
        served = [one for group in callers.map(shared.predict, groups) for one in group]
    for got, expected in zip(served, plain, strict=True):
        assert got.unscanned == ""
        assert got.scores == pytest.approx(expected.scores, abs=1e-5)
        assert got.inference_ms > 0
    assert shared.batcher.counts.batches - before < len(groups), "callers shared batches"


def test_a_text_past_its_deadline_is_unscanned_and_its_neighbour_is_read(shared: SharedGuard) -> None:
    late, fine = shared.predict(["word " * 20_000, "fine"], deadlines=[Deadline.after_ms(1), Deadline()])
    assert (late.unscanned, fine.unscanned) == (DEADLINE, "")


def test_a_text_that_finds_the_queue_full_is_unscanned(shared: SharedGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    running, free = threading.Event(), threading.Event()
    launch = shared.runtime.launch

    def slow(pieces: object) -> object:
        running.set()
        assert free.wait(20)
        return launch(pieces)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(shared.runtime, "launch", slow)
    monkeypatch.setattr(shared.batcher, "_capacity", 50)
    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(shared.predict, ["first"])
        assert running.wait(20)
        two = shared.predict(["queued " * 40, "more " * 40], deadlines=[Deadline.after_ms(1)] * 2)
        free.set()
        assert first.result(20)[0].unscanned == ""
    assert [one.unscanned for one in two] == [DEADLINE, OVERLOADED]


def test_nobody_waits_for_a_model_that_was_closed() -> None:
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision="fp32")
    guard.close()
    with pytest.raises(Closed):
        guard.predict(["too late"])


def test_what_is_chosen_by_itself_keeps_the_scores() -> None:
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu")
    try:
        served = guard.predict(TEXTS[:16])
    finally:
        guard.close()
    for got, expected in zip(served, load_model("", "cpu").predict(TEXTS[:16]), strict=True):
        assert got.scores == pytest.approx(expected.scores, abs=2 * MOST)


def test_a_precision_that_is_none_is_named() -> None:
    with pytest.raises(ModelUnavailable, match="int4"):
        serve_model("", "cpu", "int4")
