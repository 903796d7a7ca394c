"""How often replayed traffic reaches a flag threshold. Information only: nothing is fitted or chosen by it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from feedback.training.data import stable_fraction
from workers.runtimes.guard import EncoderGuard

SAMPLE = 500


def traffic_flag_rate(path: Path, heads: Path, *, seed: int) -> tuple[int, float]:
    """Return how many responses of the replay file were scored, and the share with any score at its flag threshold.

    Runs the model as workers do, from the files just written.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = sorted(rows, key=lambda row: stable_fraction(row["id"], seed))[:SAMPLE]
    guard = EncoderGuard(heads, device="cpu")
    limits = {category: limit.flag for category, limit in guard.thresholds.items()}
    predictions = guard.predict([row["response"] for row in chosen])
    reached = sum(any(p.scores[c] >= limit for c, limit in limits.items()) for p in predictions)
    return len(chosen), reached / len(chosen)
