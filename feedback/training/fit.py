"""Fit the heads on features, and calibrate them. Everything is seeded: same data and seed, same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from feedback.training.features import Features
from feedback.training.labels import Targets
from workers.runtimes.heads import PAIRS, VOCABULARY, Heads, word_items


@dataclass(frozen=True)
class Recipe:
    """How the heads are fitted. `some_weight`: of texts flagged without a category."""

    hidden: int = 256
    epochs: int = 8
    batch: int = 256
    rate: float = 1e-3
    decay: float = 0.05
    word_rate: float = 4e-3
    word_decay: float = 0.02
    dropout: float = 0.3
    some_weight: float = 0.3
    max_balance: float = 8.0


@dataclass(frozen=True)
class Prepared:
    """Features as the fit wants them: word items a window, and the windows of each text."""

    vectors: torch.Tensor
    items: list[list[int]]
    windows_of: list[list[int]]


def prepare_features(features: Features) -> Prepared:
    windows_of: list[list[int]] = [[] for _ in range(int(features.owner.max()) + 1)]
    for window, owner in enumerate(features.owner.tolist()):
        windows_of[owner].append(window)
    return Prepared(torch.from_numpy(features.vectors), [word_items(ids) for ids in features.ids], windows_of)


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
    balance = _balance(targets, rows, recipe.max_balance)
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
            batch = order[start : start + recipe.batch].tolist()
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


def text_logits(heads: Heads, data: Prepared, texts: list[int]) -> torch.Tensor:
    """Return logits [texts, categories]: of each text the highest among its windows, as in serving."""
    windows = [w for t in texts for w in data.windows_of[t]]
    logits = heads(data.vectors[windows].float(), [data.items[w] for w in windows])
    if len(windows) == len(texts):
        return torch.as_tensor(logits)
    owner = torch.repeat_interleave(torch.arange(len(texts)), torch.tensor([len(data.windows_of[t]) for t in texts]))
    lowest = torch.full((len(texts), logits.shape[1]), float("-inf"))
    return lowest.scatter_reduce(0, owner.unsqueeze(1).expand_as(logits), logits, "amax")


@torch.inference_mode()
def predict_logits(heads: Heads, data: Prepared, rows: np.ndarray, *, batch: int = 1024) -> np.ndarray:
    """Return logits [rows, categories] of the texts `rows`."""
    order = rows.tolist()
    parts = [text_logits(heads, data, order[i : i + batch]) for i in range(0, len(order), batch)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def calibrate(logits: np.ndarray, value: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return Platt's (scale, shift) of one category, fitted on the texts whose label is known.

    With fewer than five examples of either side there is nothing to fit: (1, 0). The scale stays within 0.2 and 3, so
    that a category that happens to separate perfectly here does not answer 0 or 1 to everything.
    """
    known = weight >= 1.0
    x, y = logits[known], value[known]
    if min(y.sum(), len(y) - y.sum()) < 5:
        return 1.0, 0.0
    design = np.stack([x, np.ones_like(x)], axis=1)
    prior, start = np.diag([1.0, 0.1]), np.array([1.0, 0.0])
    best = start.copy()
    for _iteration in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ best, -30, 30)))
        gradient = design.T @ (p - y) + prior @ (best - start)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        best = best - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(np.clip(best[0], 0.2, 3.0)), float(np.clip(best[1], -8.0, 8.0))


def _standardise(heads: Heads, data: Prepared, rows: np.ndarray) -> None:
    windows = [w for t in rows.tolist() for w in data.windows_of[t]]
    # A sample: the moments of 20,000 windows differ from those of all by less than the fp16 rounding of a feature.
    vectors = data.vectors[windows[:: max(1, len(windows) // 20_000)]].float()
    heads.mean.copy_(vectors.mean(dim=0))
    heads.inverse_std.copy_(1.0 / vectors.std(dim=0).clamp_min(1e-3))
    counts = torch.zeros(VOCABULARY + PAIRS)
    for window in windows:
        counts[data.items[window]] += 1
    # A word piece of a single training text says nothing that would hold elsewhere.
    idf = torch.log(len(windows) / counts.clamp_min(1)) * (counts >= 3)
    heads.idf.copy_(idf)


def _balance(targets: Targets, rows: np.ndarray, limit: float) -> torch.Tensor:
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
