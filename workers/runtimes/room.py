"""How much is read at once on a device, and what is done when its memory runs out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from workers.runtimes.windows import batches

log = logging.getLogger(__name__)

SMALLEST_BUDGET = 512
T = TypeVar("T")


class Room:
    """The budget of padded tokens for a batch on a device; halved, for good, when its memory runs out."""

    def __init__(self, device: torch.device, *, cpu: int, cuda: int) -> None:
        self.budget = cuda if device.type == "cuda" else cpu

    def read(self, lengths: Sequence[int], compute: Callable[[list[int]], T]) -> Iterator[tuple[list[int], T]]:
        """Yield (positions, `compute` of them) for batches of rows of these `lengths`, as `batches` makes them.

        Raise OutOfMemoryError when one row alone is too much.
        """
        waiting = deque(batches(lengths, budget=self.budget))
        while waiting:
            batch = waiting.popleft()
            try:
                found = compute(batch)
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                waiting = self._smaller(lengths, [batch, *waiting])
            else:
                yield batch, found
                continue
            # Outside of the handler: the error holds on to what the batch had computed.
            torch.cuda.empty_cache()

    def _smaller(self, lengths: Sequence[int], left: list[list[int]]) -> deque[list[int]]:
        half = len(left[0]) * lengths[left[0][0]] // 2
        self.budget = max(SMALLEST_BUDGET, min(self.budget, half))
        log.warning("the memory of the device ran out: batches now have %d tokens", self.budget)
        positions = [position for batch in left for position in batch]
        again = batches([lengths[position] for position in positions], budget=half)
        return deque([positions[i] for i in batch] for batch in again)
