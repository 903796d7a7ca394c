"""The batcher with real threads: order, budget, deadlines, refusals, and an answer to everyone, whatever happens."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Sequence

import pytest

from screening.findings import Deadline, DeadlineExceeded
from tests.workers.batchers import NEVER, WAIT, Echo, batcher, end, held
from workers import batching
from workers.batching import Batcher, Closed, Overloaded, WrongAnswer


@pytest.fixture(params=[1, 2], ids=["one lane", "two lanes"])
def lanes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


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


def test_what_came_later_fills_a_batch_but_does_not_overtake_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "NEIGHBOURS_SECONDS", 0.0)
    runtime = Echo(budget=100)
    with batcher(runtime) as one, held(runtime, one):
        texts = ["a" * 10] + ["b" * 20] * 12 + ["c" * 10]
        for text in texts:
            one.submit([text], NEVER)
    first = runtime.batches[1]
    assert first[0] == texts[0]
    assert len(first) == 5, "as many as the budget has room for"
    assert texts[-1] not in first, "nearer in length, but two batches away"


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


def test_a_text_that_its_caller_withdrew_is_counted_and_not_read(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes) as one, held(runtime, one):
        gone = one.submit(["gone"], NEVER)
        assert gone.cancel()
        assert one.counts.dropped == 1
    assert all("gone" not in batch for batch in runtime.batches)


def test_a_full_queue_refuses_and_takes_nothing_of_the_text(lanes: int) -> None:
    runtime = Echo()
    with batcher(runtime, lanes, capacity=10) as one:
        with held(runtime, one):
            kept = [one.submit(["x" * 10], NEVER)]
            with pytest.raises(Overloaded):
                one.submit(["y" * 6], NEVER)
            kept.append(one.submit(["y" * 5], NEVER))
            with pytest.raises(Overloaded):
                one.submit(["z"], NEVER)
        assert [text.result(WAIT).results for text in kept] == [["x" * 10], ["y" * 5]]
        assert one.counts.refused == 2
        assert one.submit(["y"], NEVER).result(WAIT).results == ["y"], "there is room again"


def test_a_very_long_text_is_taken_when_nothing_waits_and_leaves_room_for_others(lanes: int) -> None:
    runtime = Echo(budget=10)
    with batcher(runtime, lanes, capacity=10) as one:
        with held(runtime, one):
            long = one.submit(["x" * 10] * 50, NEVER)
            others = [one.submit(["y"], NEVER) for _ in range(5)]
            with pytest.raises(Overloaded):
                one.submit(["y"], NEVER)
        assert [text.result(WAIT).results for text in others] == [["y"]] * 5
        assert len(long.result(WAIT).results) == 50
        assert one.submit(["z" * 10], NEVER).result(WAIT).results == ["z" * 10], "there is room again"


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


def test_a_batch_that_failed_leaves_nothing_of_the_model_in_memory() -> None:
    class Tensor:
        pass

    class Broken(Echo):
        def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
            tensor = Tensor()
            made.append(weakref.ref(tensor))
            raise RuntimeError("broken")

    made: list[weakref.ref[Tensor]] = []
    gc.disable()  # as good as in a worker, where it comes seldom
    try:
        with batcher(Broken()) as one:
            future = one.submit(["a"], NEVER)
            assert isinstance(future.exception(WAIT), RuntimeError)
        assert made[0]() is None
    finally:
        gc.enable()


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
