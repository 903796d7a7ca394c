"""Memory that runs out makes batches smaller, and loses nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from workers.model import load_model
from workers.runtimes.guard import EncoderGuard
from workers.runtimes.room import SMALLEST_BUDGET, Room

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LENGTHS = [300, 7, 512, 40, 300, 300, 12, 512, 90, 1]


class Short:
    """Computes nothing; more than `tokens` with padding are too much for it."""

    def __init__(self, lengths: Sequence[int], tokens: int) -> None:
        self.lengths, self.tokens = lengths, tokens
        self.tried: list[list[int]] = []

    def compute(self, positions: list[int]) -> list[int]:
        self.tried.append(positions)
        if len(positions) * max(self.lengths[i] for i in positions) > self.tokens:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return positions


def test_a_device_has_its_own_budget() -> None:
    assert (Room(CPU, cpu=10, cuda=20).budget, Room(CUDA, cpu=10, cuda=20).budget) == (10, 20)


@pytest.mark.parametrize("fits", [6_000, 1_024, 600, 512])
def test_every_row_is_read_once_in_batches_that_fit(fits: int) -> None:
    room, device = Room(CPU, cpu=65_536, cuda=0), Short(LENGTHS, fits)
    found = list(room.read(LENGTHS, device.compute))
    assert all(positions == computed for positions, computed in found)
    assert sorted(position for positions, _ in found for position in positions) == list(range(len(LENGTHS)))
    assert (len(device.tried) > len(found)) == (fits < 10 * 512)
    # What was learnt stays: the next texts are read in batches that fit.
    device.tried.clear()
    assert len(list(room.read(LENGTHS, device.compute))) == len(device.tried)


def test_short_rows_are_split_further_than_the_budget_falls() -> None:
    room, device = Room(CPU, cpu=1_024, cuda=0), Short([90, 80, 70, 60], 100)
    assert [positions for positions, _ in room.read(device.lengths, device.compute)] == [[0], [1], [2], [3]]
    assert room.budget == SMALLEST_BUDGET


def test_a_row_that_is_too_much_alone_fails() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        list(Room(CPU, cpu=65_536, cuda=0).read(LENGTHS, Short(LENGTHS, 511).compute))


def test_a_guard_model_reads_on_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = load_model("", "cpu")
    assert isinstance(guard, EncoderGuard)
    texts = ["", "You are a worthless idiot.", "The train leaves at ten past nine. " * 40, "a"]
    expected = guard.predict(texts)
    fine = guard._net.forward

    def small(ids: torch.Tensor, mask: torch.Tensor) -> object:
        if len(ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return fine(ids, mask)

    monkeypatch.setattr(guard._net, "forward", small)
    for got, other in zip(guard.predict(texts), expected, strict=True):
        assert got.scores == pytest.approx(other.scores, abs=1e-4)
        assert got.spans == other.spans
