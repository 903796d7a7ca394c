"""What a worker reads leaves little behind. `python -m bench.worker_memory` measures 100,000 texts."""

from __future__ import annotations

import random

import psutil

from workers.model import DEFAULT_FOLDER
from workers.runtimes.shared import SharedGuard


def _megabytes() -> float:
    return float(psutil.Process().memory_full_info().uss) / 1e6


def test_the_memory_of_the_guard_model_stays_flat() -> None:
    dice = random.Random(7)
    guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision="fp32", lanes=2)

    def read(count: int) -> float:
        for _ in range(count):
            texts = ["word " * dice.randrange(1, 60) for _ in range(4)]
            assert not any(one.unscanned for one in guard.predict(texts))
        return _megabytes()

    try:
        read(8)
        settled = read(8)
        later = [read(8) for _ in range(3)]
    finally:
        guard.close()
    assert max(later) < 1.05 * settled
