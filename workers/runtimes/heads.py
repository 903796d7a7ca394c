"""The trained part of the guard model: a small network on pooled encoder states, plus word weights, in one file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import nn

from screening.categories import MODEL_CATEGORIES
from workers.runtimes.encoder import ENCODER_SHA256, WIDTH
from workers.runtimes.errors import ModelUnavailable
from workers.runtimes.kernels import gelu

VOCABULARY = 30_522
PAIRS = 1 << 16
#: Word weights act on unit vectors; the factor brings their gradient to the size of the network's.
LEXICAL_SCALE = 8.0
Probability = Annotated[float, Field(ge=0, le=1)]


class Calibration(BaseModel):
    """A score is sigmoid(scale * logit + shift)."""

    model_config = ConfigDict(extra="forbid")
    scale: float
    shift: float


class Thresholds(BaseModel):
    """What the makers of this model recommend to policies, from development texts; see the model card.

    `watch` is for those who would rather see too much; models made before there was one have none.
    """

    model_config = ConfigDict(extra="forbid")
    watch: Probability | None = None
    flag: Probability
    hold: Probability
    block: Probability


class ModelConfig(BaseModel):
    """What config.json of every model folder says."""

    model_config = ConfigDict(extra="forbid")
    name: str
    categories: tuple[str, ...]
    encoder_sha256: str
    heads_sha256: str
    window: int = Field(ge=8, le=512)
    overlap: int = Field(ge=0, le=128)
    layers: tuple[Annotated[int, Field(ge=0, le=6)], ...]
    hidden: int = Field(ge=1)
    calibration: dict[str, Calibration]
    thresholds: dict[str, Thresholds]

    @cached_property
    def scaling(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what logits [..., categories] are multiplied by, and what is added, before the sigmoid."""
        own = [self.calibration[category] for category in self.categories]
        return np.array([c.scale for c in own], dtype=np.float32), np.array([c.shift for c in own], dtype=np.float32)

    @property
    def version(self) -> str:
        """Return the name, and what tells weights of that name apart."""
        return f"{self.name}@{self.heads_sha256[:12]}"


class HeadsConfig(ModelConfig):
    """config.json of heads on the frozen encoder."""

    format: Literal[1]


class Heads(nn.Module):
    """Logits of every category for windows. The same module trains and serves."""

    def __init__(self, *, layers: int, hidden: int, categories: int, dropout: float = 0.0) -> None:
        super().__init__()
        dims = layers * 2 * WIDTH
        self.mean = nn.Buffer(torch.zeros(dims))
        self.inverse_std = nn.Buffer(torch.ones(dims))
        self.idf = nn.Buffer(torch.ones(VOCABULARY + PAIRS))
        self.hidden = nn.Linear(dims, hidden)
        self.output = nn.Linear(hidden, categories)
        self.words = nn.Parameter(torch.zeros(VOCABULARY + PAIRS, categories))
        # TorchScript reads no names of a file.
        self.lexical_scale = LEXICAL_SCALE
        self.drop_input = nn.Dropout(dropout)
        self.drop_hidden = nn.Dropout(dropout)

    def forward(self, vectors: torch.Tensor, items: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return logits [windows, categories] of pooled `vectors` and the word items of the same windows.

        `items`: the `word_items` of all windows one after another; `counts` [windows]: how many belong to each.
        """
        return self.dense(vectors) + self._words(items, counts)

    def dense(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of pooled `vectors`, without the words: [windows, categories]."""
        standard = (vectors - self.mean) * self.inverse_std
        hidden = gelu(self.hidden(self.drop_input(standard)))
        logits: torch.Tensor = self.output(self.drop_hidden(hidden))
        return logits

    def _words(self, items: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        values = self.idf[items]
        rows = torch.repeat_interleave(torch.arange(len(counts), device=items.device), counts)
        squares = torch.zeros(len(counts), device=items.device).index_add_(0, rows, values * values)
        weights = self.lexical_scale * values / squares.clamp_min(1e-6).sqrt()[rows]
        offsets = torch.cumsum(counts, 0) - counts
        return nn.functional.embedding_bag(items, self.words, offsets, mode="sum", per_sample_weights=weights)


def word_items(ids: Sequence[int]) -> list[int]:
    """Return the distinct word pieces and hashed neighbour pairs of a window ([CLS] and [SEP] left out), sorted."""
    words = ids[1:-1]
    pairs = {VOCABULARY + ((a * 40_503 + b * 2_654_435_761) >> 7) % PAIRS for a, b in pairwise(words)}
    return sorted({*words, *pairs})


def pack_items(rows: Sequence[Sequence[int]], device: torch.device | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rows one after another, and their lengths, as `Heads` takes them."""
    flat = torch.tensor([item for row in rows for item in row], dtype=torch.long, device=device)
    return flat, torch.tensor([len(row) for row in rows], dtype=torch.long, device=device)


def load_heads(folder: Path) -> tuple[HeadsConfig, Heads]:
    """Read a heads folder. Raise ModelUnavailable unless it is whole, unchanged and made for this encoder."""
    remedy = remedy_of(folder)
    try:
        config = HeadsConfig.model_validate_json((folder / "config.json").read_bytes())
        data = (folder / "heads.safetensors").read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"Cannot read {error.filename}: {error.strerror}. {remedy}") from error
    except ValidationError as error:
        raise ModelUnavailable(f"{folder / 'config.json'} is not a heads config. {remedy}") from error
    check_config(config, data, remedy)
    heads = Heads(layers=len(config.layers), hidden=config.hidden, categories=len(config.categories))
    try:
        heads.load_state_dict({k: v.float() for k, v in load_tensors(data).items()})
    except (SafetensorError, RuntimeError) as error:
        raise ModelUnavailable(f"{folder / 'heads.safetensors'} does not fit its config. {remedy}") from error
    return config, heads.eval()


def remedy_of(folder: Path) -> str:
    return f"Restore {folder} from the repository, or make it again: python manage.py train"


def check_config(config: ModelConfig, data: bytes, remedy: str) -> None:
    """Raise ModelUnavailable unless `data` is the file of the heads that `config` speaks of, for this version."""
    if hashlib.sha256(data).hexdigest() != config.heads_sha256:
        raise ModelUnavailable(f"heads.safetensors is damaged or not the file of its config (SHA-256). {remedy}")
    if config.encoder_sha256 != ENCODER_SHA256:
        raise ModelUnavailable(f"The heads were trained on another encoder ({config.encoder_sha256}). {remedy}")
    if set(config.categories) != set(MODEL_CATEGORIES) or set(config.calibration) != set(MODEL_CATEGORIES):
        raise ModelUnavailable(f"The heads answer for other categories than this version's. {remedy}")
