"""The guard model as workers serve it: threads share batches, and each gets what the plain pass says."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from screening.findings import DEADLINE, Deadline
from workers.batching import Closed
from workers.model import DEFAULT_FOLDER, ModelUnavailable, load_model, serve_model, usable_cores
from workers.runtimes.choice import MOST
from workers.runtimes.shared import NICE, OVERLOADED, SharedGuard

TEXTS = [f"Letter {n}: you are {word}. " * (1 + n % 7) for n in range(24) for word in ("kind", "a worthless idiot")]


@pytest.fixture(scope="module", params=[1, 2], ids=["one lane", "two lanes"])
def shared(request: pytest.FixtureRequest) -> Iterator[SharedGuard]:
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision="fp32", lanes=request.param)
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
        assert [replace(span, score=0.0) for span in got.spans or ()] == [
            replace(span, score=0.0) for span in expected.spans or ()
        ]
        assert [s.score for s in got.spans or ()] == pytest.approx([s.score for s in expected.spans or ()], abs=1e-5)
        assert got.inference_ms > 0
    assert shared.batcher.counts.batches - before < len(TEXTS) // 2, "callers shared batches"


def test_a_text_past_its_deadline_is_unscanned_and_its_neighbour_is_read(shared: SharedGuard) -> None:
    late, fine = shared.predict(["word " * 20_000, "fine"], deadlines=[Deadline.after_ms(1), Deadline()])
    assert (late.unscanned, fine.unscanned) == (DEADLINE, "")


def test_a_text_whose_word_pieces_take_longer_than_its_time_holds_up_no_neighbour(shared: SharedGuard) -> None:
    # Each of these letters is three word pieces: some seconds of work before the model has seen one.
    soon = Deadline.after_ms(1_500)
    long, short = shared.predict(["\ud55c" * 400_000, "fine"], deadlines=[soon, soon])
    assert (long.unscanned, short.unscanned) == (DEADLINE, "")
    assert soon.remaining() > -1


def test_a_text_that_finds_the_queue_full_is_unscanned(shared: SharedGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    running, free = threading.Semaphore(0), threading.Event()
    launch = shared.runtime.launch

    def slow(pieces: object) -> object:
        running.release()
        assert free.wait(20)
        return launch(pieces)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(shared.runtime, "launch", slow)
    monkeypatch.setattr(shared.batcher, "_capacity", 50)
    lanes = len(shared.batcher._threads)
    with ThreadPoolExecutor(lanes) as callers:
        first = []
        for _ in range(lanes):
            first.append(callers.submit(shared.predict, ["first"]))
            assert running.acquire(timeout=20)
        two = shared.predict(["queued " * 30, "one more " * 40], deadlines=[Deadline.after_ms(1_000)] * 2)
        free.set()
        assert [one.result(20)[0].unscanned for one in first] == [""] * lanes
    assert [one.unscanned for one in two] == [DEADLINE, OVERLOADED]


def test_nobody_waits_for_a_model_that_was_closed() -> None:
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision="fp32")
    guard.close()
    with pytest.raises(Closed):
        guard.predict(["too late"])


def test_what_is_chosen_by_itself_keeps_the_scores_and_uses_all_cores() -> None:
    guard = serve_model("", "cpu")
    assert isinstance(guard, SharedGuard)
    try:
        served = guard.predict(TEXTS[:16])
        assert len(guard.batcher._threads) == usable_cores()
    finally:
        guard.close()
    for got, expected in zip(served, load_model("", "cpu").predict(TEXTS[:16]), strict=True):
        assert got.scores == pytest.approx(expected.scores, abs=2 * MOST)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness of their own")
def test_lanes_stand_back_behind_everything_else(shared: SharedGuard) -> None:
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    shared.predict(["warm"])
    for thread in shared.batcher._threads:
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == own + NICE


@pytest.mark.parametrize("setting", ["0", "two", "-1", "1.5", "", "100000"])
def test_a_number_of_lanes_that_is_none_is_named(setting: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"COUNTERSIGN_LANES is {setting}:"):
        serve_model("", "cpu", "fp32", setting)


def test_a_precision_that_is_none_is_named() -> None:
    with pytest.raises(ModelUnavailable, match="int4"):
        serve_model("", "cpu", "int4")
