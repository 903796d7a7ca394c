"""Fit the heads on features, and calibrate them. Everything is seeded: same data and seed, same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from feedback.training.features import Features
from feedback.training.labels import WEAK, Targets
from workers.runtimes.heads import PAIRS, VOCABULARY, Heads, pack_items, word_items


@dataclass(frozen=True)
class Recipe:
    """How the heads are fitted. `some_weight`: of texts flagged without a category."""

    hidden: int = 256
    epochs: int = 4
    batch: int = 256
    rate: float = 1e-3
    decay: float = 0.05
    word_rate: float = 2e-3
    word_decay: float = 0.02
    dropout: float = 0.3
    some_weight: float = 0.3
    max_balance: float = 8.0


@dataclass(frozen=True)
class Prepared:
    """Features as the fit wants them, by window; `first` and `windows` [texts]: where a text's windows are."""

    vectors: torch.Tensor
    items: torch.Tensor
    counts: torch.Tensor
    first: torch.Tensor
    windows: torch.Tensor

    def windows_of(self, texts: torch.Tensor) -> torch.Tensor:
        """Return the positions of the windows of `texts`, text by text."""
        return _ranges(self.first[texts], self.windows[texts])

    def items_of(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        starts = torch.cumsum(self.counts, 0) - self.counts
        return self.items[_ranges(starts[windows], self.counts[windows])], self.counts[windows]


def _ranges(starts: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return start, start + 1, … for each of `lengths` steps, range after range."""
    ends = torch.cumsum(lengths, 0)
    return torch.arange(int(lengths.sum())) + torch.repeat_interleave(starts - ends + lengths, lengths)


def prepare_features(features: Features) -> Prepared:
    items, counts = pack_items([word_items(ids) for ids in features.ids])
    windows = torch.from_numpy(np.bincount(features.owner))
    return Prepared(torch.from_numpy(features.vectors), items, counts, torch.cumsum(windows, 0) - windows, windows)


def fit(
    data: Prepared,
    targets: Targets,
    rows: np.ndarray,
    *,
    layers: int,
    recipe: Recipe,
    seed: int,
    progress: Callable[[], object] = lambda: None,
) -> Heads:
    """Return heads fitted on the texts `rows`. `progress` is called once a batch; see `steps`."""
    torch.manual_seed(seed)
    heads = Heads(layers=layers, hidden=recipe.hidden, categories=targets.value.shape[1], dropout=recipe.dropout)
    _standardise(heads, data, rows)
    balance = balance_of(targets, rows, recipe.max_balance)
    value, weight = torch.from_numpy(targets.value), torch.from_numpy(targets.weight)
    some = torch.from_numpy(targets.some)
    network = [p for name, p in heads.named_parameters() if name != "words"]
    optimiser = torch.optim.AdamW(
        [
            {"params": network, "lr": recipe.rate, "weight_decay": recipe.decay},
            {"params": [heads.words], "lr": recipe.word_rate, "weight_decay": recipe.word_decay},
        ]
    )
    total = steps(len(rows), recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cosine(step, total))
    shuffle = np.random.default_rng(seed)
    heads.train()
    for _epoch in range(recipe.epochs):
        order = shuffle.permutation(rows)
        for start in range(0, len(order), recipe.batch):
            batch = torch.from_numpy(order[start : start + recipe.batch])
            logits = text_logits(heads, data, batch)
            loss = _loss(logits, value[batch], weight[batch], some[batch], balance, recipe.some_weight)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            progress()
    return heads.eval()


def steps(rows: int, recipe: Recipe) -> int:
    return recipe.epochs * math.ceil(rows / recipe.batch)


def text_logits(heads: Heads, data: Prepared, texts: torch.Tensor) -> torch.Tensor:
    """Return logits [texts, categories]: of each text the highest among its windows, as in serving."""
    windows = data.windows_of(texts)
    logits: torch.Tensor = heads(data.vectors[windows].float(), *data.items_of(windows))
    owner = torch.repeat_interleave(torch.arange(len(texts)), data.windows[texts])
    lowest = torch.full((len(texts), logits.shape[1]), float("-inf"))
    return lowest.scatter_reduce(0, owner.unsqueeze(1).expand_as(logits), logits, "amax")


@torch.inference_mode()
def predict_logits(heads: Heads, data: Prepared, rows: np.ndarray, *, batch: int = 1024) -> np.ndarray:
    """Return logits [rows, categories] of the texts `rows`."""
    order = torch.from_numpy(rows)
    parts = [text_logits(heads, data, order[i : i + batch]) for i in range(0, len(order), batch)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def calibrate(logits: np.ndarray, value: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return Platt's (scale, shift) of one category, fitted on the texts whose label is known or likely, by weight.

    Likely ones bring in ordinary texts: the texts labelled for a rare category are mostly prompts made to provoke it,
    and a score fitted on those alone is near 1 for anything of that topic. With fewer than five examples of either
    side there is nothing to fit: (1, 0). The scale stays within 0.2 and 3, so that a category that happens to separate
    perfectly here does not answer 0 or 1 to everything.
    """
    known = weight >= WEAK
    x, y, w = logits[known], value[known], weight[known]
    if min(y.sum(), len(y) - y.sum()) < 5:
        return 1.0, 0.0
    design = np.stack([x, np.ones_like(x)], axis=1)
    prior, start = np.diag([1.0, 0.1]), np.array([1.0, 0.0])
    best = start.copy()
    for _iteration in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ best, -30, 30)))
        gradient = design.T @ (w * (p - y)) + prior @ (best - start)
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        best = best - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(np.clip(best[0], 0.2, 3.0)), float(np.clip(best[1], -8.0, 8.0))


def _standardise(heads: Heads, data: Prepared, rows: np.ndarray) -> None:
    windows = data.windows_of(torch.from_numpy(rows))
    # A sample: the moments of 10,000 windows differ from those of all by less than the fp16 rounding of a feature.
    vectors = data.vectors[windows[:: max(1, len(windows) // 10_000)]].float()
    heads.mean.copy_(vectors.mean(dim=0))
    heads.inverse_std.copy_(1.0 / vectors.std(dim=0).clamp_min(1e-3))
    counts = torch.bincount(data.items_of(windows)[0], minlength=VOCABULARY + PAIRS)
    # A word piece of fewer than three training texts says nothing that would hold elsewhere.
    heads.idf.copy_(torch.log(len(windows) / counts.clamp_min(1)) * (counts >= 3))


def balance_of(targets: Targets, rows: np.ndarray, limit: float) -> torch.Tensor:
    weight, value = targets.weight[rows], targets.value[rows]
    positive, negative = (weight * value).sum(axis=0), (weight * (1 - value)).sum(axis=0)
    return torch.from_numpy(np.clip(np.sqrt(negative / np.maximum(positive, 1)), 1.0, limit).astype(np.float32))


def _loss(
    logits: torch.Tensor,
    value: torch.Tensor,
    weight: torch.Tensor,
    some: torch.Tensor,
    balance: torch.Tensor,
    some_weight: float,
) -> torch.Tensor:
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, value, pos_weight=balance, reduction="none")
    loss = (each * weight).sum() / len(logits)
    if some.any():
        # P(any category) = 1 - prod(1 - p); its log likelihood, stable through softplus.
        none = -torch.nn.functional.softplus(logits[some]).sum(dim=1)
        loss = loss - some_weight * torch.log(-torch.expm1(none.clamp_max(-1e-4))).sum() / len(logits)
    return loss


def _cosine(step: int, total: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, total))))
