"""From what the net says of windows to predictions of texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from screening.findings import DEADLINE, Prediction, Span
from workers.runtimes.heads import ModelConfig
from workers.runtimes.letters import UNREADABLE
from workers.runtimes.token_spans import spans_of
from workers.runtimes.tuples import Outputs
from workers.runtimes.windows import Window

#: The reason to record where the model's scores are no numbers.
NOT_A_NUMBER = "not a number"


class Reading:
    """Takes the outputs of the windows of some texts, in any order and grouping. Used once."""

    def __init__(self, windows: Sequence[Window], texts: int, config: ModelConfig, later: frozenset[int]) -> None:
        """`windows` of texts 0 to `texts` - 1; `later`: the word pieces that go on a word."""
        self._windows, self._config, self._later = windows, config, later
        self._found: list[dict[int, Outputs]] = [{} for _ in range(texts)]

    def add(self, which: Sequence[int], rows: Sequence[Outputs]) -> None:
        """Take the outputs of the windows `which`, one each, without padding, on the CPU."""
        for i, row in zip(which, rows, strict=True):
            self._found[self._windows[i].text][i] = row

    def predictions(self, *, late: Collection[int]) -> list[Prediction]:
        """Return one a text: the highest calibrated score of its windows, its spans, and their mean embedding.

        The texts `late` are unscanned.
        """
        return [
            Prediction(scores={}, unscanned=DEADLINE) if text in late else self._prediction(found)
            for text, found in enumerate(self._found)
        ]

    def _prediction(self, found: dict[int, Outputs]) -> Prediction:
        # numpy, because it has a tenth of torch's price for a call, and these are small.
        order = sorted(found)
        windows, rows = [self._windows[i] for i in order], [found[i] for i in order]
        if any(window.unread for window in windows):
            return Prediction(scores={}, unscanned=UNREADABLE)
        scale, shift = self._config.scaling
        logits = np.max([row.logits.numpy() for row in rows], axis=0)
        tokens = [row.tokens.numpy() for row in rows if row.tokens is not None]
        if not all(np.isfinite(own).all() for own in (logits, *tokens)):
            return Prediction(scores={}, unscanned=NOT_A_NUMBER)  # no threshold is above it, and none below
        scores = 1 / (1 + np.exp(-(logits * scale + shift)))
        return Prediction(
            scores=dict(zip(self._config.categories, scores.tolist(), strict=True)),
            spans=self._spans(windows, tokens),
            embedding=_direction(windows, rows),
        )

    def _spans(self, windows: Sequence[Window], tokens: Sequence[np.ndarray]) -> tuple[Span, ...] | None:
        return spans_of(windows, tokens, overlap=self._config.overlap, later=self._later) if tokens else None


def _direction(windows: Sequence[Window], rows: Sequence[Outputs]) -> tuple[float, ...]:
    """Return the mean embedding of windows by their length, of length 1; nothing for a model without one."""
    own = [row.embedding.numpy() for row in rows if row.embedding is not None]
    if len(own) < 2:
        return tuple(own[0].tolist()) if own else ()  # of length 1 already
    whole = np.sum([one * len(window.ids) for one, window in zip(own, windows, strict=True)], axis=0)
    return tuple((whole / max(1e-12, float(np.linalg.norm(whole)))).tolist())
