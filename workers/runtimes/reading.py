"""From what the net says of windows to predictions of texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch

from screening.findings import DEADLINE, Prediction, Span
from workers.runtimes.encoder import WIDTH
from workers.runtimes.heads import ModelConfig
from workers.runtimes.net import Outputs
from workers.runtimes.token_spans import spans_of
from workers.runtimes.windows import Window


class Reading:
    """Takes the outputs of the windows of some texts, in any order and grouping. Used once."""

    def __init__(self, windows: Sequence[Window], texts: int, config: ModelConfig, later: frozenset[int]) -> None:
        """`windows` of texts 0 to `texts` - 1; `later`: the word pieces that go on a word."""
        self._windows, self._config, self._later = windows, config, later
        self._logits = torch.full((texts, len(config.categories)), float("-inf"))
        self._embedding = torch.zeros(texts, WIDTH)
        self._tokens: list[dict[int, np.ndarray]] = [{} for _ in range(texts)]
        self._embeds = self._marks = False

    def add(self, which: Sequence[int], out: Outputs) -> None:
        """Take the outputs of the windows `which`, row by row."""
        owners = torch.tensor([self._windows[i].text for i in which])
        rows = out.logits.float().cpu()
        self._logits.scatter_reduce_(0, owners.unsqueeze(1).expand_as(rows), rows, "amax")
        if out.embedding is not None:
            self._embeds = True
            lengths = torch.tensor([[len(self._windows[i].ids)] for i in which])
            self._embedding.index_add_(0, owners, out.embedding.float().cpu() * lengths)
        if out.tokens is not None:
            self._marks = True
            for i, own in zip(which, out.tokens.float().cpu().numpy(), strict=True):
                self._tokens[self._windows[i].text][i] = own[: len(self._windows[i].ids)]

    def predictions(self, *, late: Collection[int]) -> list[Prediction]:
        """Return one a text: the highest calibrated score of its windows, its spans, and their mean embedding.

        The texts `late` are unscanned.
        """
        calibration = [self._config.calibration[c] for c in self._config.categories]
        scale, shift = torch.tensor([c.scale for c in calibration]), torch.tensor([c.shift for c in calibration])
        scores = torch.sigmoid(self._logits * scale + shift).tolist()
        directions = torch.nn.functional.normalize(self._embedding, dim=1).tolist() if self._embeds else []
        return [
            Prediction(scores={}, unscanned=DEADLINE)
            if i in late
            else Prediction(
                scores=dict(zip(self._config.categories, row, strict=True)),
                spans=self._spans(self._tokens[i]) if self._marks else None,
                embedding=tuple(directions[i]) if directions else (),
            )
            for i, row in enumerate(scores)
        ]

    def _spans(self, tokens: dict[int, np.ndarray]) -> tuple[Span, ...]:
        order = sorted(tokens)
        windows, logits = [self._windows[i] for i in order], [tokens[i] for i in order]
        return spans_of(windows, logits, overlap=self._config.overlap, later=self._later)
