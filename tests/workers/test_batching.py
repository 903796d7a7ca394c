"""The batcher with real threads: order, budget, deadlines, refusals, and an answer to everyone, whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.findings import Deadline, DeadlineExceeded
from workers.batch_choice import nearest
from workers.batching import Batcher, Closed, Overloaded, Read, WrongAnswer

NEVER = Deadline()
WAIT = 20


class Echo:
    """Answers every piece with itself; can be held, so that a test decides what waits."""

    def __init__(self, budget: int = 100, *, overlaps: bool = False) -> None:
        self.budget = budget
        self.overlaps = overlaps
        self.batches: list[list[str]] = []
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()

    def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
        self.batches.append(list(pieces))
        self.busy.set()
        assert self.free.wait(WAIT)
        return lambda: list(pieces)


@contextmanager
def batcher(runtime: Echo, capacity: int = 10_000) -> Iterator[Batcher[str, str]]:
    one = Batcher(runtime, capacity=capacity)
    try:
        yield one
    finally:
        runtime.free.set()
        one.close(WAIT)


@contextmanager
def held(runtime: Echo, one: Batcher[str, str]) -> Iterator[Future[Read[str]]]:
    """Keep the model busy with a text of its own until the block ends."""
    runtime.free.clear()
    runtime.busy.clear()
    first = one.submit(["held"], NEVER)
    assert runtime.busy.wait(WAIT)
    yield first
    runtime.free.set()
    assert first.result(WAIT).results == ["held"]


def test_a_text_gets_the_results_of_its_pieces_in_order() -> None:
    with batcher(Echo(budget=4)) as one:
        read = one.submit(["aaaa", "b", "cc"], NEVER).result(WAIT)
    assert read.results == ["aaaa", "b", "cc"]
    assert read.queue_ms >= 0
    assert read.inference_ms >= 0


def test_what_waits_shares_a_batch_by_length_within_the_budget() -> None:
    runtime = Echo(budget=12)
    with batcher(runtime) as one:
        with held(runtime, one):
            asked = [one.submit(["x" * n], NEVER) for n in (4, 11, 3, 4, 2)]
        assert [future.result(WAIT).results for future in asked]
    assert runtime.batches[1] == ["xxx", "xxxx", "xxxx"], "around the oldest, nearest lengths first"
    assert all(len(batch) * max(map(len, batch)) <= 12 for batch in runtime.batches)


def test_an_idle_model_waits_for_no_company() -> None:
    runtime = Echo()
    with batcher(runtime) as one:
        for text in ("a", "b"):
            one.submit([text], NEVER).result(WAIT)
    assert runtime.batches == [["a"], ["b"]]


def test_a_long_text_does_not_hold_up_what_comes_after_it() -> None:
    runtime = Echo(budget=10)
    with batcher(runtime) as one:
        with held(runtime, one):
            long = one.submit(["y" * 10] * 200, NEVER)
            short = one.submit(["zz"], NEVER)
        assert short.result(WAIT).results == ["zz"]
        place = runtime.batches.index(["zz"])
        assert place < 20
        assert len(long.result(WAIT).results) == 200


def test_a_text_whose_time_is_over_is_dropped_and_counted() -> None:
    runtime = Echo()
    with batcher(runtime) as one:
        with held(runtime, one):
            late = one.submit(["late"], Deadline(time.time() - 1))
            good = one.submit(["good"], NEVER)
        assert good.result(WAIT).results == ["good"]
        with pytest.raises(DeadlineExceeded):
            late.result(WAIT)
        assert one.counts.dropped == 1
    assert ["late"] not in runtime.batches
    assert all("late" not in batch for batch in runtime.batches)


def test_a_text_that_its_caller_withdrew_is_not_read() -> None:
    runtime = Echo()
    with batcher(runtime) as one, held(runtime, one):
        gone = one.submit(["gone"], NEVER)
        assert gone.cancel()
    assert all("gone" not in batch for batch in runtime.batches)


def test_a_full_queue_refuses_and_takes_nothing_of_the_text() -> None:
    runtime = Echo()
    with batcher(runtime, capacity=10) as one:
        with held(runtime, one):
            kept = [one.submit(["x" * 50], NEVER)]  # alone in the queue, whatever its length
            with pytest.raises(Overloaded):
                one.submit(["y"], NEVER)
        assert kept[0].result(WAIT).results == ["x" * 50]
        assert one.counts.refused == 1
        assert one.submit(["y"], NEVER).result(WAIT).results == ["y"], "there is room again"


def test_a_model_that_raises_fails_its_batch_and_reads_the_next_one() -> None:
    class Moody(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            if "bad" in pieces:
                raise RuntimeError("no")
            return super().launch(pieces)

    with batcher(Moody()) as one:
        with pytest.raises(RuntimeError):
            one.submit(["bad"], NEVER).result(WAIT)
        assert one.submit(["good"], NEVER).result(WAIT).results == ["good"]
        assert one.counts.failed == 1


@pytest.mark.parametrize("answers", [0, 3])
def test_a_model_that_answers_with_too_few_or_too_many_is_caught(answers: int) -> None:
    class Miscounting(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            return lambda: ["?"] * answers

    with batcher(Miscounting()) as one, pytest.raises(WrongAnswer):
        one.submit(["a"], NEVER).result(WAIT)


def test_a_model_that_keeps_failing_is_given_up() -> None:
    class Broken(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            raise RuntimeError("broken")

    with batcher(Broken()) as one:
        for _ in range(3):
            with pytest.raises(RuntimeError):
                one.submit(["a"], NEVER).result(WAIT)
        one._thread.join(WAIT)
        with pytest.raises(Closed):
            one.submit(["a"], NEVER)


def test_closing_ends_what_flies_and_fails_what_waits() -> None:
    runtime = Echo()
    one = Batcher(runtime, capacity=100)
    with held(runtime, one) as flying:
        waiting = one.submit(["w"], NEVER)
        closing = threading.Thread(target=one.close)
        closing.start()
        with one._changed:
            assert one._changed.wait_for(lambda: one._closed, WAIT)
    closing.join(WAIT)
    assert flying.result(0).results == ["held"]
    with pytest.raises(Closed):
        waiting.result(WAIT)
    with pytest.raises(Closed):
        one.submit(["x"], NEVER)


def test_a_batch_that_never_ends_does_not_keep_its_callers() -> None:
    runtime = Echo()
    one = Batcher(runtime, capacity=100)
    runtime.free.clear()
    stuck = one.submit(["stuck"], NEVER)
    assert runtime.busy.wait(WAIT)
    one.close(0.01)
    with pytest.raises(Closed):
        stuck.result(0)
    runtime.free.set()
    one._thread.join(WAIT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_answers_everyone() -> None:
    class Deadly(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            raise SystemExit

    with batcher(Deadly()) as one, pytest.raises(Closed):
        one.submit(["a"], NEVER).result(WAIT)


class Chaos:
    """Answers, raises in launch or in collect, or miscounts, by the letters of what it is given."""

    def __init__(self, budget: int, *, overlaps: bool) -> None:
        self.budget, self.overlaps = budget, overlaps

    def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
        marks = {piece[0] for piece in pieces}
        if "l" in marks:
            raise RuntimeError
        return lambda: self._collect(pieces, marks)

    def _collect(self, pieces: Sequence[str], marks: set[str]) -> Sequence[str]:
        if "c" in marks:
            raise ValueError
        return list(pieces)[:-1] if "m" in marks else list(pieces)


pieces = st.builds(lambda mark, n: mark * n, st.sampled_from("aaaaaaalcm"), st.integers(1, 30))
texts = st.lists(st.tuples(st.lists(pieces, min_size=1, max_size=5), st.booleans(), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(callers=st.lists(texts, min_size=1, max_size=4), budget=st.integers(1, 60), overlaps=st.booleans())
def test_every_caller_gets_exactly_its_answer(
    callers: list[list[tuple[list[str], bool, bool]]], budget: int, overlaps: bool
) -> None:
    one: Batcher[str, str] = Batcher(Chaos(budget, overlaps=overlaps), capacity=200)
    wrong: list[object] = []

    def call(own: list[tuple[list[str], bool, bool]]) -> None:
        for text, late, withdrawn in own:
            try:
                future = one.submit(text, Deadline(0) if late else NEVER)
            except (Overloaded, Closed):
                continue
            if withdrawn:
                future.cancel()
                continue
            error = future.exception(WAIT)
            if error is None:
                wrong.extend([] if not late and future.result().results == text else [text])
            elif not isinstance(error, (DeadlineExceeded, Closed, RuntimeError, ValueError, WrongAnswer)):
                wrong.append(error)

    threads = [threading.Thread(target=call, args=(own,)) for own in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)
    one.close(WAIT)
    assert not one._thread.is_alive()
    assert wrong == []
    assert one._tokens == 0


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30).map(sorted), st.integers(1, 200), st.data())
def test_a_batch_has_the_oldest_and_stays_within_its_budget(
    lengths: list[int], budget: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(lengths) - 1))
    low, high = nearest(lengths, first, budget)
    assert low <= first < high
    assert high - low == 1 or (high - low) * lengths[high - 1] <= budget
    if low > 0:
        assert (high - low + 1) * lengths[high - 1] > budget, "a shorter one that fits is taken along"
