"""How often replayed traffic reaches a flag threshold. Information only: nothing is fitted or chosen by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from feedback.training.data import stable_fraction
from feedback.training.lines import objects
from workers.runtimes.guard import EncoderGuard

SAMPLE = 500


def replayed(path: Path, *, seed: int) -> list[str]:
    """Return SAMPLE responses of the replay file, the same for the same seed; none where there is no such file.

    Raise OSError, or ValueError naming the line that is none.
    """
    found: list[tuple[str, str]] = []
    for number, row in objects(path) if path.exists() else ():
        try:
            found.append((str(row["id"]), str(row["response"])))
        except KeyError as error:
            raise ValueError(f"{path}, line {number}: is not a row with a response") from error
    return [response for _, response in sorted(found, key=lambda row: stable_fraction(row[0], seed))[:SAMPLE]]


def traffic_flag_rate(responses: Sequence[str], heads: Path) -> tuple[int, float]:
    """Return how many responses were scored, and the share with any score at its flag threshold.

    Runs the model as workers do, from the files just written.
    """
    guard = EncoderGuard(heads, device="cpu")
    limits = {category: limit.flag for category, limit in guard.thresholds.items()}
    predictions = guard.predict(responses)
    reached = sum(any(p.scores.get(c, 0.0) >= limit for c, limit in limits.items()) for p in predictions)
    return len(responses), reached / len(responses)
