"""How near sentences are in meaning: cosines of the encoder's mean-pooled embeddings, as its makers use it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from screening.findings import Deadline
from workers.runtimes.encoder import Encoder

#: Word pieces of a sentence that are read; what its makers trained it for.
LENGTH = 128


class Similarity:
    """The encoder without our adapters, which were trained for other ends. Holds 90 MB; safe for several threads."""

    def __init__(self, *, device: str = "auto") -> None:
        """Load the encoder; raise ModelUnavailable."""
        self._encoder = Encoder(device=device)

    @torch.inference_mode()
    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> list[list[float]]:
        """Return the cosine of each of `left` with each of `right`; raise DeadlineExceeded between two batches."""
        texts = [*left, *right]
        vectors = torch.zeros(len(texts), 0)
        windows = self._encoder.tokenizer.windows(texts, size=LENGTH, overlap=0, deadlines=[deadline] * len(texts))
        deadline.check()
        # Of a sentence that is longer, the beginning.
        first = {window.text: window for window in reversed(windows)}
        order = sorted(first)
        for positions, states, mask in self._encoder.hidden_states([first[text] for text in order]):
            keep = mask.unsqueeze(-1)
            means = (states[-1] * keep).sum(1) / keep.sum(1)
            if vectors.shape[1] == 0:
                vectors = torch.zeros(len(texts), means.shape[1])
            vectors[[order[position] for position in positions]] = torch.nn.functional.normalize(means, dim=1).cpu()
            deadline.check()
        cosines: list[list[float]] = (vectors[: len(left)] @ vectors[len(left) :].T).tolist()
        return cosines
