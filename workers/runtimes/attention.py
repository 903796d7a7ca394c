"""Attention within windows that lie one after another, without padding between them.

Each function returns an `AttendTogether`. Queries come scaled: the runtime has the scale in their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby

import numpy as np
import torch
from torch.nn import functional as F

#: Takes queries, keys and values [tokens, 3, heads, width of a head], returns [tokens, heads, width of a head].
AttendTogether = Callable[[torch.Tensor], torch.Tensor]
#: What queries are multiplied by for `attention_in_bf16`, beside the scale: it takes powers of two.
LOG2_E = 1.4426950408889634
#: oneDNN makes and keeps kernels for every size of a window and every number of them; so few are used.
SIZE_STEP = 16
#: Numbers in the scores that are computed together: what a core's own cache holds.
SCORES_TOGETHER = 1 << 19
#: Columns of ones: products are made for sixteen columns at a time.
ONES = 16
#: Powers of two from which sums of a window are still numbers, and not zero.
LARGEST = 100.0


def attention_by_runs(sizes: Sequence[int]) -> AttendTogether:
    """Attend within windows of `sizes` tokens; neighbours of one size go together. Tokens behind them get zeros."""
    runs = [(size, len(list(same))) for size, same in groupby(sizes)]

    def attend(together: torch.Tensor) -> torch.Tensor:
        out = together.new_empty(len(together), *together.shape[2:])
        start = 0
        for size, count in runs:
            end = start + size * count
            q, k, v = together[start:end].view(count, size, *together.shape[1:]).transpose(1, 3).unbind(2)
            found = F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2)
            out[start:end] = found.flatten(0, 1)
            start = end
        out[start:] = 0.0
        return out

    return attend


def attention_in_bf16(sizes: Sequence[int], heads: int, *, idle: int = 0) -> AttendTogether:
    """As `attention_by_runs`, by products in bf16: for processors that compute in it, where it takes half the time.

    Rows of one head of one token are brought together window by window, windows being as long as the next step, and
    back. Weights are powers of two, without a maximum taken off first: scores are kept within what bf16 holds.
    What `idle` tokens behind the windows get means nothing.
    """
    groups = _groups(sizes, heads)
    gather, scatter = (torch.from_numpy(rows) for rows in _rows(groups, heads, idle))
    blocks = [_block(group, heads) for group in groups]

    def attend(together: torch.Tensor) -> torch.Tensor:
        width = together.shape[-1]
        rows = together.to(torch.bfloat16).view(-1, width).index_select(0, gather)
        found, start = torch.empty(len(rows) // 3, width, dtype=torch.bfloat16), 0
        for shape, seen in blocks:
            end = start + 3 * shape[0] * shape[1]
            query, key, value = rows[start:end].view(3, *shape, width).unbind(0)
            weights = torch.bmm(query, key.transpose(1, 2)).clamp_(-LARGEST, LARGEST).exp2_()
            # A column of ones beside the values: the product sums the weights, too. Behind a window its last token is
            # repeated, and counts for nothing: neither its values nor its weights.
            counted = seen.expand(*shape, width + ONES).clone()
            counted[..., :width].mul_(value)
            sums = torch.bmm(weights, counted)
            own = found[start // 3 : end // 3].view(*shape, width)
            torch.div(sums[..., :width], sums[..., width : width + 1], out=own)
            start = end
        return found.index_select(0, scatter).view(len(together), heads, width).to(together.dtype)

    return attend


def every_group(longest: int, tokens: int, heads: int) -> Iterator[list[int]]:
    """Yield sizes of windows that make, between them, all groups of `attention_in_bf16`.

    Of windows of at most `longest` tokens, so many `tokens` together.
    """
    for step in range(SIZE_STEP, _step(longest) + 1, SIZE_STEP):
        count = 1
        while count <= _most(step, heads) and count * (step - SIZE_STEP + 1) <= tokens:
            yield [min(step, tokens // count)] * count
            count *= 2


def flash_attention(ends: torch.Tensor, longest: int) -> AttendTogether:
    """Attend on CUDA, in bf16, within windows that end at `ends`, the longest of so many tokens."""
    from torch.nn.attention.varlen import varlen_attn

    bounds = F.pad(ends, (1, 0))

    def attend(together: torch.Tensor) -> torch.Tensor:
        query, key, value = together.unbind(1)
        out = varlen_attn(query, key, value, bounds, bounds, longest, longest, scale=1.0)
        assert isinstance(out, torch.Tensor)  # noqa: S101 - a tuple only where the aux outputs are asked for
        return out

    return attend


def _groups(sizes: Sequence[int], heads: int) -> list[list[tuple[int, int]]]:
    """Return which windows, each its first token and its size, are computed together: 1, 2, 4, ... of one step."""
    firsts = accumulate(sizes, initial=0)
    groups: list[list[tuple[int, int]]] = []
    for step, alike in groupby(zip(firsts, sizes, strict=False), key=lambda window: _step(window[1])):
        left = list(alike)
        while left:
            count = 1 << (min(_most(step, heads), len(left)).bit_length() - 1)
            groups.append(left[:count])
            left = left[count:]
    return groups


def _most(step: int, heads: int) -> int:
    return max(1, SCORES_TOGETHER // (heads * step * step))


def _step(size: int) -> int:
    return -(-size // SIZE_STEP) * SIZE_STEP


def _rows(groups: Sequence[Sequence[tuple[int, int]]], heads: int, idle: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows [tokens * 3 * heads] go together, and where each row [tokens * heads] then is.

    Idle tokens get what the first row gets.
    """
    gather, scatter, before = [], [], 0
    for group in groups:
        firsts, sizes = (np.array(column)[:, None] for column in zip(*group, strict=True))
        places = np.arange(_step(group[0][1]))
        tokens = firsts + np.minimum(places, sizes - 1)  # [windows, places]; past the end, the last one again
        of_head = np.arange(heads)[:, None]
        parts = np.arange(3)[:, None, None, None]
        gather.append(((tokens[None, :, None] * 3 + parts) * heads + of_head).ravel())
        where = before + np.arange(tokens.size * heads).reshape(len(group), heads, -1)
        scatter.append(where.transpose(0, 2, 1)[places < sizes].ravel())
        before += tokens.size * heads
    return np.concatenate(gather), np.concatenate([*scatter, np.zeros(idle * heads, dtype=np.int64)])


def _block(group: Sequence[tuple[int, int]], heads: int) -> tuple[tuple[int, int], torch.Tensor]:
    """Return of a group (windows * heads, places), and which places are tokens [windows * heads, places, 1]."""
    places = _step(group[0][1])
    sizes = torch.tensor([size for _, size in group]).repeat_interleave(heads)[:, None]
    return (len(group) * heads, places), (torch.arange(places) < sizes)[..., None].to(torch.bfloat16)
