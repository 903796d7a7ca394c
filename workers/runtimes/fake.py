"""A guard model that does not look at the text: every score is the same low number.

For benchmarks of the path without the detectors (`COUNTERSIGN_GUARD_MODEL=fake`) and for tests. It protects nothing:
its version, "fake", is recorded with every check it answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from screening.categories import MODEL_CATEGORIES
from screening.findings import Deadline, Prediction

SCORE = 0.01


class FakeGuard:
    """A GuardModel in constant time, without torch."""

    version = "fake"
    categories = MODEL_CATEGORIES

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return SCORE in every category, and no spans, for every text."""
        return [Prediction(scores=dict.fromkeys(MODEL_CATEGORIES, SCORE), spans=()) for _ in texts]
