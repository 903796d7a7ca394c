"""The batcher under random callers, late and withdrawn texts, and a model that fails in every way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from screening.findings import Deadline, DeadlineExceeded
from tests.workers.batchers import NEVER, WAIT, end
from workers.batch_choice import nearest
from workers.batching import Batcher, Closed, Overloaded, WrongAnswer


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
