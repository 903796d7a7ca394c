"""How near the embedding head stays to the encoder's own sentence embedding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from workers.runtimes.encoder import WIDTH, encoder_net, load_tokenizer
from workers.runtimes.guard import EncoderGuard
from workers.runtimes.joint import LAST
from workers.runtimes.net import GuardNet, StateHeads, padded
from workers.runtimes.tuples import Outputs
from workers.runtimes.windows import batches

SAMPLE = 500


class _Sentence(StateHeads):
    def forward(self, states: list[torch.Tensor], parts: list[torch.Tensor]) -> Outputs:
        return Outputs(logits=parts[0][:, :WIDTH])


@torch.inference_mode()
def mean_cosine(texts: Sequence[str], folder: Path) -> float:
    """Return the mean cosine of the model's embeddings of `texts` with upstream's, over those of one window."""
    windows = load_tokenizer().windows(texts[:SAMPLE], size=256, overlap=32)
    net = GuardNet(encoder_net(), _Sentence([LAST]))
    plain = torch.zeros(len(texts[:SAMPLE]), WIDTH)
    for group in batches([len(w.ids) for w in windows], budget=2_048):
        vectors = net(*padded([windows[i].ids for i in group])).logits
        plain.index_add_(0, torch.tensor([windows[i].text for i in group]), vectors)
    ours = torch.tensor([p.embedding for p in EncoderGuard(folder, device="cpu").predict(texts[:SAMPLE])])
    once = torch.bincount(torch.tensor([w.text for w in windows])) == 1
    return float(torch.nn.functional.cosine_similarity(ours, plain)[once].mean())
