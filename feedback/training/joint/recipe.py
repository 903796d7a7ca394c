"""How adapters and heads are trained together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JointRecipe:
    """`budget`: padded tokens a batch. Rates are the highest of a schedule that warms up and falls to zero."""

    epochs: float = 3.0
    budget: int = 2_048
    window: int = 256
    overlap: int = 32
    layers: tuple[int, ...] = (2, 4, 6)
    hidden: int = 256
    token_hidden: int = 128
    dropout: float = 0.1
    rank: int = 64
    first_layer: int = 0
    rate: float = 7e-4
    head_rate: float = 1e-3
    decay: float = 0.01
    warm_up: float = 0.05
    clip: float = 1.0
    #: Of texts flagged without a category; see `fit`.
    some_weight: float = 0.3
    max_balance: float = 8.0
    token_weight: float = 2.0
    #: Distillation of the frozen encoder's sentence embedding, on every `embedding_every`-th batch.
    embedding_weight: float = 4.0
    embedding_every: int = 8
    #: Share of the texts without spans that are disturbed (feedback/training/augment.py).
    augment: float = 0.0
    #: Share of the short ones among them that stand amid harmless prose (feedback/training/embed.py).
    embed: float = 0.2
    #: Batches between two checkpoints.
    save_every: int = 50

    @property
    def scaling(self) -> float:
        """Return what the product of an adapter's matrices is multiplied by."""
        return 2.0


RECIPE = JointRecipe()
