"""Batches as tensors, and what the net says of many texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from feedback.training.joint.batches import plan
from feedback.training.joint.net import JointNet
from feedback.training.joint.rows import Rows


@dataclass(frozen=True)
class Batch:
    """`ids`, `mask`, `allowed` [windows, pieces]; `owner` [windows]: the text of each; the rest as in Targets."""

    ids: torch.Tensor
    mask: torch.Tensor
    allowed: torch.Tensor
    owner: torch.Tensor
    value: torch.Tensor
    weight: torch.Tensor
    some: torch.Tensor


def make_batch(rows: Rows, which: np.ndarray, device: torch.device) -> Batch:
    """Return the texts `which` of `rows`, padded to the longest window."""
    windows = [ids for row in which for ids in rows.windows[row]]
    width = max(len(ids) for ids in windows)
    ids, mask, allowed = (np.zeros((len(windows), width), dtype=np.int64) for _ in range(3))
    marks = [mark for row in which for mark in rows.allowed[row] or [None] * len(rows.windows[row])]
    for at, (own, mark) in enumerate(zip(windows, marks, strict=True)):
        ids[at, : len(own)], mask[at, : len(own)] = own, 1
        if mark is not None:
            allowed[at, : len(own)] = mark
    owner = np.repeat(np.arange(len(which)), [len(rows.windows[row]) for row in which])
    targets = (rows.targets.value[which], rows.targets.weight[which], rows.targets.some[which])
    return Batch(*(torch.from_numpy(array).to(device) for array in (ids, mask, allowed, owner, *targets)))


def text_maximum(logits: torch.Tensor, owner: torch.Tensor, texts: int) -> torch.Tensor:
    """Return logits [texts, categories]: of each text the highest among its windows, as in serving."""
    lowest = torch.full((texts, logits.shape[1]), float("-inf"), device=logits.device)
    return lowest.scatter_reduce(0, owner.unsqueeze(1).expand_as(logits), logits, "amax")


@torch.no_grad()
def category_logits(
    net: JointNet, rows: Rows, *, device: torch.device, progress: Callable[[int], object] = lambda _done: None
) -> np.ndarray:
    """Return logits [texts, categories] of all rows, in order."""
    found = np.empty((len(rows), rows.targets.value.shape[1]), dtype=np.float64)
    windows = np.array([len(own) for own in rows.windows])
    for which in plan(rows.lengths(), windows, budget=4_096, epochs=1, seed=0):
        batch = make_batch(rows, which, device)
        logits = net(batch.ids, batch.mask).logits.float()
        found[which] = text_maximum(logits, batch.owner, len(which)).cpu().numpy()
        progress(len(which))
    return found
