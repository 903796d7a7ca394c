"""The guard model, first version: one pass of the frozen encoder, heads on top, the maximum over windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from screening.findings import DEADLINE, Deadline, Prediction
from workers.runtimes.encoder import Encoder
from workers.runtimes.heads import Thresholds, load_heads, pack_items, word_items
from workers.runtimes.pooling import pool
from workers.runtimes.windows import batches


class EncoderGuard:
    """MiniLM with trained heads: a GuardModel. Safe to call from several threads."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """Load heads from `folder` and the encoder from its wheel. Raise ModelUnavailable when either is not right."""
        self._config, heads = load_heads(folder)
        self._encoder = Encoder(device=device)
        self._heads = heads.to(self._encoder.device)
        calibration = [self._config.calibration[c] for c in self._config.categories]
        self._scale = torch.tensor([c.scale for c in calibration])
        self._shift = torch.tensor([c.shift for c in calibration])

    @property
    def version(self) -> str:
        return f"{self._config.name}@{self._config.heads_sha256[:12]}"

    @property
    def categories(self) -> tuple[str, ...]:
        return self._config.categories

    @property
    def thresholds(self) -> dict[str, Thresholds]:
        """Return what the makers of the heads recommend to policies."""
        return dict(self._config.thresholds)

    @torch.inference_mode()
    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return a prediction a text, in order: a probability for each category, the highest of its windows.

        Every window of a text is read, however long it is: time grows by its length (1 MiB of English: about 1,100
        windows), memory does not, because windows pass in batches of a fixed token budget. Between two batches, texts
        past their deadline are given up. A text's scores are the same alone or in any batch within 1e-4.
        """
        if not texts:
            return []
        windows = self._encoder.tokenizer.windows(texts, size=self._config.window, overlap=self._config.overlap)
        logits = torch.full((len(texts), len(self.categories)), float("-inf"))
        late: set[int] = set()
        for group in batches([len(window.ids) for window in windows], budget=self._encoder.budget):
            late.update(i for i, deadline in enumerate(deadlines) if deadline.remaining() <= 0)
            left = [windows[i] for i in group if windows[i].text not in late]
            for positions, states, mask in self._encoder.hidden_states(left):
                vectors = pool(states, mask, self._config.layers)
                items, counts = pack_items([word_items(left[i].ids) for i in positions], vectors.device)
                rows = self._heads(vectors, items, counts).float().cpu()
                owners = torch.tensor([left[i].text for i in positions])
                logits.scatter_reduce_(0, owners.unsqueeze(1).expand_as(rows), rows, "amax")
        scores = torch.sigmoid(logits * self._scale + self._shift).tolist()
        return [self._prediction(row, late=i in late) for i, row in enumerate(scores)]

    def _prediction(self, scores: list[float], *, late: bool) -> Prediction:
        if late:
            return Prediction(scores={}, unscanned=DEADLINE)
        return Prediction(scores=dict(zip(self.categories, scores, strict=True)))
