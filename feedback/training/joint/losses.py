"""The loss of a batch: what is known of each text and each word piece, and nothing for what is not."""

from __future__ import annotations

import numpy as np
import torch

from feedback.training.labels import Targets
from workers.runtimes.joint import TOKEN_LABELS


def category_loss(
    logits: torch.Tensor,
    value: torch.Tensor,
    weight: torch.Tensor,
    some: torch.Tensor,
    balance: torch.Tensor,
    some_weight: float,
) -> torch.Tensor:
    """Return the loss a text of logits [texts, categories]; `balance`: how much more a positive counts, a category.

    `weight` 0 is unknown; `some`: a source flagged the text without saying for what, so some category should be high.
    """
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, value, pos_weight=balance, reduction="none")
    loss = (each * weight).sum() / len(logits)
    if some.any():
        # P(any category) = 1 - prod(1 - p); its log likelihood, stable through softplus.
        none = -torch.nn.functional.softplus(logits[some]).sum(dim=1)
        loss = loss - some_weight * torch.log(-torch.expm1(none.clamp_max(-1e-4))).sum() / len(logits)
    return loss


def token_loss(logits: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Return the mean of -log P(an allowed label) over word pieces that know any: logits [pieces, TOKEN_LABELS].

    `allowed` [pieces]: bit sets of labels.
    """
    known = allowed > 0
    bits = (allowed[known].unsqueeze(1) >> torch.arange(len(TOKEN_LABELS), device=allowed.device)) & 1
    chosen = logits[known].float()
    of_allowed = chosen.masked_fill(bits == 0, float("-inf")).logsumexp(dim=1)
    return (chosen.logsumexp(dim=1) - of_allowed).mean()


def embedding_loss(embedding: torch.Tensor, frozen: torch.Tensor) -> torch.Tensor:
    """Return one minus the mean cosine of rows of length 1."""
    return 1 - (embedding.float() * frozen.float()).sum(dim=1).mean()


def balance_of(targets: Targets, limit: float) -> torch.Tensor:
    """Return how much more a positive counts in each category: the root of how much rarer it is, up to `limit`."""
    positive = (targets.weight * targets.value).sum(axis=0)
    negative = (targets.weight * (1 - targets.value)).sum(axis=0)
    return torch.from_numpy(np.clip(np.sqrt(negative / np.maximum(positive, 1)), 1.0, limit).astype(np.float32))
