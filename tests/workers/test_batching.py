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
from workers.batching import Batcher, Closed, Overloaded, WrongAnswer
from workers.waiting import Read

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
        self.busy = threading.Semaphore(0)

    def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
        self.batches.append(list(pieces))
        self.busy.release()
        assert self.free.wait(WAIT)
        return lambda: list(pieces)


@pytest.fixture(params=[1, 2], ids=["one lane", "two lanes"])
def lanes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@contextmanager
def batcher(runtime: Echo, lanes: int = 1, capacity: int = 10_000) -> Iterator[Batcher[str, str]]:
    one = Batcher(runtime, capacity=capacity, lanes=lanes)
    try:
        yield one
    finally:
        runtime.free.set()
        one.close(WAIT)


@contextmanager
def held(runtime: Echo, one: Batcher[str, str]) -> Iterator[list[Future[Read[str]]]]:
    """Keep every lane busy with a text of its own until the block ends."""
    runtime.free.clear()
    while runtime.busy.acquire(blocking=False):
        pass
    first = []
    for _ in one._threads:
        first.append(one.submit(["held"], NEVER))
        assert runtime.busy.acquire(timeout=WAIT)
    yield first
    runtime.free.set()
    assert all(future.result(WAIT).results == ["held"] for future in first)


def end(one: Batcher[str, str]) -> None:
    for thread in one._threads:
        thread.join(WAIT)
        assert not thread.is_alive()


def test_a_text_gets_the_results_of_its_pieces_in_order(lanes: int) -> None:
    with batcher(Echo(budget=4), lanes) as one:
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


def test_an_idle_model_waits_for_no_company(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes) as one:
        for text in ("a", "b"):
            one.submit([text], NEVER).result(WAIT)
    assert runtime.batches == [["a"], ["b"]]


def test_a_long_text_does_not_hold_up_what_comes_after_it(lanes: int) -> None:
    runtime = Echo(budget=10)
    with batcher(runtime, lanes) as one:
        with held(runtime, one):
            long = one.submit(["y" * 10] * 200, NEVER)
            short = one.submit(["zz"], NEVER)
        assert short.result(WAIT).results == ["zz"]
        place = runtime.batches.index(["zz"])
        assert place < 20 * lanes
        assert len(long.result(WAIT).results) == 200


def test_a_text_whose_time_is_over_is_dropped_and_counted(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes) as one:
        with held(runtime, one):
            late = one.submit(["late"], Deadline(time.time() - 1))
            good = one.submit(["good"], NEVER)
        assert good.result(WAIT).results == ["good"]
        with pytest.raises(DeadlineExceeded):
            late.result(WAIT)
        assert one.counts.dropped == 1
    assert ["late"] not in runtime.batches
    assert all("late" not in batch for batch in runtime.batches)


def test_a_text_that_its_caller_withdrew_is_not_read(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes) as one, held(runtime, one):
        gone = one.submit(["gone"], NEVER)
        assert gone.cancel()
    assert all("gone" not in batch for batch in runtime.batches)


def test_a_full_queue_refuses_and_takes_nothing_of_the_text(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes, capacity=10) as one:
        with held(runtime, one):
            kept = [one.submit(["x" * 50], NEVER)]  # alone in the queue, whatever its length
            with pytest.raises(Overloaded):
                one.submit(["y"], NEVER)
        assert kept[0].result(WAIT).results == ["x" * 50]
        assert one.counts.refused == 1
        assert one.submit(["y"], NEVER).result(WAIT).results == ["y"], "there is room again"


def test_a_model_that_raises_fails_its_batch_and_reads_the_next_one(lanes: int) -> None:
    class Moody(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            if "bad" in pieces:
                raise RuntimeError("no")
            return super().launch(pieces)

    with batcher(Moody(), lanes) as one:
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


def test_a_model_that_keeps_failing_is_given_up(lanes: int) -> None:
    class Broken(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            raise RuntimeError("broken")

    with batcher(Broken(), lanes) as one:
        for _ in range(3):
            with pytest.raises(RuntimeError):
                one.submit(["a"], NEVER).result(WAIT)
        end(one)
        with pytest.raises(Closed):
            one.submit(["a"], NEVER)


def test_closing_ends_what_flies_and_fails_what_waits(lanes: int) -> None:
    runtime = Echo()
    one = Batcher(runtime, capacity=100, lanes=lanes)
    with held(runtime, one) as flying:
        waiting = one.submit(["w"], NEVER)
        closing = threading.Thread(target=one.close)
        closing.start()
        with one._changed:
            assert one._changed.wait_for(lambda: one._closed, WAIT)
    closing.join(WAIT)
    assert [future.result(0).results for future in flying] == [["held"]] * lanes
    with pytest.raises(Closed):
        waiting.result(WAIT)
    with pytest.raises(Closed):
        one.submit(["x"], NEVER)


def test_a_batch_that_never_ends_does_not_keep_its_callers(lanes: int) -> None:
    runtime = Echo()
    one = Batcher(runtime, capacity=100, lanes=lanes)
    runtime.free.clear()
    stuck = one.submit(["stuck"], NEVER)
    assert runtime.busy.acquire(timeout=WAIT)
    one.close(0.01)
    with pytest.raises(Closed):
        stuck.result(0)
    runtime.free.set()
    end(one)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lane_that_dies_ends_all_and_answers_everyone(lanes: int) -> None:
    class Deadly(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            if pieces[0] == "deadly":
                raise SystemExit
            return super().launch(pieces)

    with batcher(Deadly(), lanes) as one:
        with pytest.raises(Closed):
            one.submit(["deadly"], NEVER).result(WAIT)
        end(one)
        with pytest.raises(Closed):
            one.submit(["a"], NEVER)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lane_that_dies_lets_the_batch_of_another_end_and_fails_what_waits() -> None:
    dies = threading.Event()

    class Deadly(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            if pieces[0] == "deadly":
                self.busy.release()
                assert dies.wait(WAIT)
                raise SystemExit
            return super().launch(pieces)

    runtime = Deadly()
    with batcher(runtime, 2) as one:
        runtime.free.clear()
        deadly = one.submit(["deadly"], NEVER)
        assert runtime.busy.acquire(timeout=WAIT)
        flying = one.submit(["flying"], NEVER)
        assert runtime.busy.acquire(timeout=WAIT)
        waiting = one.submit(["waiting"], NEVER)
        dies.set()
        for future in (deadly, waiting):
            with pytest.raises(Closed):
                future.result(WAIT)
        assert not flying.done()
        runtime.free.set()
        assert flying.result(WAIT).results == ["flying"]
        end(one)


def test_failures_in_a_row_count_over_all_lanes() -> None:
    class Broken(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            super().launch(pieces)
            raise RuntimeError("broken")

    runtime = Broken()
    runtime.free.clear()
    with batcher(runtime, 3) as one:
        asked = []
        for _ in range(3):
            asked.append(one.submit(["a"], NEVER))
            assert runtime.busy.acquire(timeout=WAIT)
        runtime.free.set()
        assert all(isinstance(future.exception(WAIT), RuntimeError) for future in asked)
        end(one)
        assert one.counts.failed == 3


def test_idle_lanes_share_out_a_long_text() -> None:
    runtime = Echo(budget=1_000)
    with batcher(runtime, 2) as one:
        with held(runtime, one):
            long = one.submit(["y" * 200] * 4, NEVER)
        assert len(long.result(WAIT).results) == 4
    assert [len(batch) for batch in runtime.batches[2:]] == [2, 1, 1], "half, then half of the rest"


def test_lanes_do_not_cut_what_is_short() -> None:
    runtime = Echo(budget=1_000)
    with batcher(runtime, 2) as one:
        with held(runtime, one):
            asked = [one.submit(["z" * 8], NEVER) for _ in range(8)]
        assert [future.result(WAIT).results for future in asked] == [["z" * 8]] * 8
    assert [len(batch) for batch in runtime.batches[2:]] == [8]


def test_a_text_that_two_lanes_read_is_answered_once() -> None:
    runtime = Echo(budget=100)
    with batcher(runtime, 2) as one:
        runtime.free.clear()
        future = one.submit(["x" * 100, "y" * 100], NEVER)
        for _ in range(2):
            assert runtime.busy.acquire(timeout=WAIT)
        assert one.submit(["late"], Deadline(time.time() - 1)).done() is False
        runtime.free.set()
        assert future.result(WAIT).results == ["x" * 100, "y" * 100]
    assert one.counts.batches == 2
    assert one.counts.dropped == 1


def test_every_lane_is_prepared_before_it_reads() -> None:
    prepared: set[int] = set()

    class Prepared(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            assert threading.get_ident() in prepared
            return super().launch(pieces)

    runtime = Prepared()
    one = Batcher(runtime, capacity=100, lanes=2, initializer=lambda: prepared.add(threading.get_ident()))
    with held(runtime, one):
        pass
    one.close(WAIT)
    assert len(prepared) == 2


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
@given(
    callers=st.lists(texts, min_size=1, max_size=4),
    budget=st.integers(1, 60),
    overlaps=st.booleans(),
    lanes=st.integers(1, 3),
)
def test_every_caller_gets_exactly_its_answer(
    callers: list[list[tuple[list[str], bool, bool]]], budget: int, overlaps: bool, lanes: int
) -> None:
    one: Batcher[str, str] = Batcher(Chaos(budget, overlaps=overlaps), capacity=200, lanes=lanes)
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
    end(one)
    assert wrong == []
    assert one._tokens == 0
    assert one._flying == [set()] * lanes


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
