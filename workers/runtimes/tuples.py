"""What goes into a pass and comes out of it. Annotations are no strings here: TorchScript would not read them."""

from typing import NamedTuple

import torch


class Layout(NamedTuple):
    """How the windows of a batch lie, in the terms of one way of attending: made once, used by every layer."""

    shapes: list[tuple[int, int]]
    tensors: list[torch.Tensor]


class Outputs(NamedTuple):
    """Of windows: `logits` [rows, categories]; what a model has no head for is None.

    `tokens` [rows, tokens, labels]: logits of every word piece, [CLS], [SEP] and padding included.
    `embedding` [rows, width].
    """

    logits: torch.Tensor
    tokens: torch.Tensor | None = None
    embedding: torch.Tensor | None = None
