"""Several lanes of one batcher: what they share out, what they count together, and who answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from screening.findings import Deadline
from tests.workers.batchers import NEVER, WAIT, Echo, batcher, end, held
from workers.batching import Batcher, Closed


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


def test_lanes_are_warm_when_each_is_prepared() -> None:
    turns = threading.Semaphore(1)

    def prepare() -> None:
        turns.acquire()
        first.set()

    def wait() -> None:
        one.wait_until_warm()
        order.append("warm")

    first, order = threading.Event(), list[str]()
    one = Batcher(Echo(), capacity=100, lanes=2, initializer=prepare)
    waiting = threading.Thread(target=wait)
    waiting.start()
    assert first.wait(WAIT)
    order.append("the second is prepared")
    turns.release()
    waiting.join(WAIT)
    assert order == ["the second is prepared", "warm"]
    one.close(WAIT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_lane_that_can_not_be_prepared() -> None:
    def prepare() -> None:
        raise RuntimeError("no memory")

    one = Batcher(Echo(), capacity=100, lanes=2, initializer=prepare)
    one.wait_until_warm()
    with pytest.raises(Closed):
        one.submit(["a"], NEVER)
    one.close(WAIT)
