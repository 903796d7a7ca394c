"""False alarms on answers that took no part: neither fitted, calibrated nor measured on, nor read by anybody."""

from __future__ import annotations

from pathlib import Path

from feedback.groups import clusters
from feedback.training.data import SAME_SIDE, read_moderation, stable_fraction, subsample, usable
from feedback.training.lexicon import Lexicon
from workers.runtimes.guard import EncoderGuard

#: Answers that subsampling leaves over, by source, and how many of them are scored.
SAMPLES = {"arena_hard_benign": 250, "diasafety": 600, "gptfuzz_responses": 250}


def fresh_alarms(
    moderation: Path, lexicon: Lexicon | None, heads: Path, *, seed: int
) -> list[tuple[str, int, int, str]]:
    """Return (source, answers, how many reach a recommended flag, their share).

    The answers are called safe by their source, hold no strong term of `lexicon`, were dropped by subsampling, and are
    no near-duplicate of a text that was kept. Runs the model as workers do, from the files just written.
    """
    rows = usable(read_moderation(moderation))
    kept = subsample(rows, seed=seed)
    names = {e.id for e in kept}
    left = [e for e in rows if e.id not in names and e.kind == "response" and e.flag == 0]
    cluster_of = clusters((e.text for e in [*kept, *left]), threshold=SAME_SIDE)
    taken = set(cluster_of[: len(kept)])
    fresh = [e for e, own in zip(left, cluster_of[len(kept) :], strict=True) if own not in taken]
    guard = EncoderGuard(heads, device="cpu")
    table = []
    for source, size in SAMPLES.items():
        own = [e for e in fresh if e.source == source and (lexicon is None or lexicon.verdict(e.text) != 1)]
        texts = [e.text for e in sorted(own, key=lambda e: stable_fraction(f"fresh:{e.id}", seed))[:size]]
        reached = sum(
            any(p.scores.get(c, 0.0) >= limit.flag for c, limit in guard.thresholds.items() if c != "prompt_injection")
            for p in guard.predict(texts)
        )
        if texts:
            table.append((source, len(texts), reached, f"{reached / len(texts):.2%}"))
    return table
