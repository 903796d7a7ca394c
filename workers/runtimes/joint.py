"""The heads that were trained together with the encoder's adapters. The same modules train and serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from screening.categories import MODEL_CATEGORIES, MODEL_ENTITIES
from workers.runtimes.bert import Bert
from workers.runtimes.encoder import WIDTH
from workers.runtimes.heads import ModelConfig
from workers.runtimes.kernels import gelu
from workers.runtimes.net import StateHeads
from workers.runtimes.tuples import Outputs

#: Labels of a word piece: outside (0), then for each entity its first piece (odd) and a later one (even).
TOKEN_LABELS = ("O", *(f"{part}-{entity}" for entity in MODEL_ENTITIES for part in "BI"))
#: Layers that the token head reads: shallow ones know words, deep ones their surroundings.
TOKEN_LAYERS = (2, 4, 6)
#: The layer that the embedding head reads.
LAST = 6


class JointConfig(ModelConfig):
    """config.json of heads with adapters. A matrix W is served as W + adapter_scaling * B A."""

    format: Literal[2]
    #: Of its training, which says what texts of a data folder it has seen. Models before minilm-guard-7 do not say it.
    seed: int | None = None
    entities: tuple[str, ...]
    token_hidden: int = Field(ge=1)
    adapters_sha256: str
    #: Of ranges.safetensors, for a model that has it: it can be read in eight bits.
    ranges_sha256: str | None = None
    adapter_scaling: float

    @property
    def version(self) -> str:
        return f"{self.name}@{self.adapters_sha256[:6]}{self.heads_sha256[:6]}"


class JointHeads(StateHeads):
    """Category, token and embedding heads on the states of one encoder pass, as `GuardNet` calls them."""

    def __init__(self, *, layers: Sequence[int], hidden: int, token_hidden: int, dropout: float = 0.0) -> None:
        super().__init__([*dict.fromkeys((*layers, LAST))])
        # TorchScript reads no names of a file.
        self.chosen, self.of_last = [self.pooled.index(layer) for layer in layers], self.pooled.index(LAST)
        self.token_layers, self.width = [*TOKEN_LAYERS], WIDTH
        dims = len(layers) * 2 * WIDTH
        self.mean = nn.Buffer(torch.zeros(dims))
        self.inverse_std = nn.Buffer(torch.ones(dims))
        # Runtimes put layers of their own in the place of large ones.
        self.hidden: nn.Module = nn.Linear(dims, hidden)
        self.output = nn.Linear(hidden, len(MODEL_CATEGORIES))
        self.token_hidden: nn.Module = nn.Linear(len(TOKEN_LAYERS) * WIDTH, token_hidden)
        self.token_output = nn.Linear(token_hidden, len(TOKEN_LABELS))
        embedding = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.eye_(embedding.weight)
        self.embedding: nn.Module = embedding
        self.drop = nn.Dropout(dropout)

    def forward(self, states: list[torch.Tensor], parts: list[torch.Tensor]) -> Outputs:
        """Read the states of layers 0 to 6, each [..., 384]. The embedding has length 1."""
        standard = (torch.cat([parts[i] for i in self.chosen], dim=1) - self.mean) * self.inverse_std
        logits = self.output(self.drop(gelu(self.hidden(self.drop(standard)))))
        pieces = torch.cat([states[layer] for layer in self.token_layers], dim=-1)
        tokens = self.token_output(self.drop(gelu(self.token_hidden(pieces))))
        sentence = self.embedding(parts[self.of_last][:, : self.width])
        return Outputs(logits, tokens, nn.functional.normalize(sentence, dim=-1))


def merge_adapters(encoder: Bert, adapters: Mapping[str, torch.Tensor], scaling: float) -> None:
    """Add LoRA adapters, in the file format of peft, to the matrices of `encoder`. Raise KeyError when they do not fit.

    Plain arithmetic, so that workers need no peft; a test compares with its own merge.
    """
    modules = dict(encoder.named_modules())
    for name, down in adapters.items():
        path, _, part = name.removeprefix("base_model.model.").rpartition(".lora_")
        if part == "A.weight":
            linear = modules[path]
            if not isinstance(linear, nn.Linear):
                raise KeyError(path)
            up = adapters[name.replace(".lora_A.", ".lora_B.")]
            with torch.no_grad():
                linear.weight += scaling * (up.float() @ down.float())
