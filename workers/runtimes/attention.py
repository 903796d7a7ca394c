"""Attention within windows that lie one after another, without padding between them.

Each way is a module: `layout(sizes, idle)` for windows of `sizes` tokens, the last of which may be idle: nobody
asked for it. And a pass that takes queries, keys and values [tokens, 3, heads, width of a head] and returns [tokens,
heads, width of a head]. Queries come scaled: their weights have the scale. What is for a CPU is TorchScript, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.runtimes.tuples import Layout

#: What queries are multiplied by for `AttentionInBf16`, beside the scale: it takes powers of two.
LOG2_E = 1.4426950408889634
#: oneDNN makes and keeps kernels for every size of a window and every number of them; so few are used.
SIZE_STEP = 16
#: Numbers in the scores that are computed together: what a core's own cache holds.
SCORES_TOGETHER = 1 << 19
#: Columns of ones: products are made for sixteen columns at a time.
ONES = 16
#: Sums of weights are taken as they are up to two to this power, and down to its inverse. bf16 ends at 128, and weights
#: are multiplied by values.
LARGEST = 112.0


class AttentionByRuns(nn.Module):
    """Attends by torch's own attention; neighbours of one size go together. Tokens behind the windows get zeros."""

    def layout(self, sizes: list[int], idle: bool) -> Layout:
        """Return the runs: a size, and how many windows have it."""
        runs: list[tuple[int, int]] = []
        for size in sizes[: len(sizes) - int(idle)]:
            if len(runs) > 0 and runs[-1][0] == size:
                runs[-1] = (size, runs[-1][1] + 1)
            else:
                runs.append((size, 1))
        return Layout(runs, [])

    def forward(self, together: Tensor, layout: Layout) -> Tensor:
        tokens, three, heads, width = together.shape
        out = together.new_empty([tokens, heads, width])
        start = 0
        for size, count in layout.shapes:
            end = start + size * count
            q, k, v = together[start:end].view(count, size, three, heads, width).transpose(1, 3).unbind(2)
            found = F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2)
            out[start:end] = found.flatten(0, 1)
            start = end
        out[start:] = 0.0
        return out


class AttentionInBf16(nn.Module):
    """As `AttentionByRuns`, by products in bf16: for processors that compute in it, where it takes half the time.

    Rows of one head of one token are brought together window by window, windows being as long as the next step, and
    back. Weights are powers of two, without a maximum taken off first, unless their sums show that bf16 does not hold
    them: a long window now and then. What idle tokens get means nothing.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads, self.largest, self.ones = heads, LARGEST, ONES

    def layout(self, sizes: list[int], idle: bool) -> Layout:
        """Return of each group its windows * heads and places; which rows [tokens * 3 * heads] go together, where each
        row [tokens * heads] then is, and of each group which places are tokens [windows * heads, places, 1].
        """
        shapes: list[tuple[int, int]] = []
        gather: list[Tensor] = []
        back: list[Tensor] = []
        seen: list[Tensor] = []
        windows = sizes[: len(sizes) - int(idle)]
        of_head, parts = torch.arange(self.heads)[:, None], torch.arange(3)[:, None, None, None]
        at, first, before = 0, 0, 0
        while at < len(windows):
            step, count = _step(windows[at]), _together(windows, at, self.heads)
            own = torch.tensor(windows[at : at + count])[:, None]
            firsts = own.cumsum(0) - own + first
            places = torch.arange(step)
            # [windows, places]; past the end, the last one again
            tokens = firsts + torch.minimum(places, own - 1)
            gather.append(((tokens[:, None] * 3 + parts) * self.heads + of_head).flatten())
            inside = places < own
            where = torch.arange(before, before + count * self.heads * step).view(count, self.heads, step)
            for window in range(count):
                back.append(where[window, :, : windows[at + window]].t().flatten())
            seen.append(inside.repeat_interleave(self.heads, 0)[:, :, None].to(torch.bfloat16))
            shapes.append((count * self.heads, step))
            first, before, at = first + int(own.sum()), before + count * self.heads * step, at + count
        # Idle tokens get what the first row gets.
        back.append(torch.zeros((sizes[-1] if idle else 0) * self.heads, dtype=torch.int64))
        seen.insert(0, torch.cat(back))
        seen.insert(0, torch.cat(gather))
        return Layout(shapes, seen)

    def forward(self, together: Tensor, layout: Layout) -> Tensor:
        tokens, _, heads, width = together.shape
        rows = together.to(torch.bfloat16).view(-1, width).index_select(0, layout.tensors[0])
        found, start = torch.empty([len(rows) // 3, width], dtype=torch.bfloat16), 0
        for group, (count, places) in enumerate(layout.shapes):
            end = start + 3 * count * places
            query, key, value = rows[start:end].view(3, count, places, width).unbind(0)
            # A column of ones beside the values: the product sums the weights, too. Behind a window its last token is
            # repeated, and counts for nothing: neither its values nor its weights.
            counted = layout.tensors[2 + group].expand(count, places, width + self.ones).clone()
            counted[..., :width].mul_(value)
            sums = torch.bmm(torch.bmm(query, key.transpose(1, 2)).exp2_(), counted)
            least, most = torch.aminmax(sums[..., width])
            # Not a number is no larger than anything.
            if not (float(least) >= 2.0**-self.largest and float(most) <= 2.0**self.largest):
                scores = torch.bmm(query, key.transpose(1, 2))
                sums = torch.bmm(scores.sub_(scores.amax(2, keepdim=True)).exp2_(), counted)
            own = found[start // 3 : end // 3].view(count, places, width)
            torch.div(sums[..., :width], sums[..., width : width + 1], out=own)
            start = end
        return found.index_select(0, layout.tensors[1]).view(tokens, heads, width).to(together.dtype)


class FlashAttention(nn.Module):
    """Attends on CUDA, in bf16; no tokens may be idle. Not for TorchScript."""

    def layout(self, sizes: list[int], idle: bool) -> Layout:
        """Return the number of windows and the longest; where each begins and the last ends [windows + 1]."""
        ends = torch.tensor([0, *accumulate(sizes)], dtype=torch.int32)
        return Layout([(len(sizes), max(sizes))], [ends])

    def forward(self, together: Tensor, layout: Layout) -> Tensor:
        from torch.nn.attention.varlen import varlen_attn

        ((_, longest),), (bounds,) = layout
        query, key, value = together.unbind(1)
        out = varlen_attn(query, key, value, bounds, bounds, longest, longest, scale=1.0)
        assert isinstance(out, Tensor)  # noqa: S101 - a tuple only where the aux outputs are asked for
        return out


Attention = AttentionByRuns | AttentionInBf16 | FlashAttention


def every_group(longest: int, tokens: int, heads: int) -> Iterator[list[int]]:
    """Yield sizes of windows that make, between them, all groups of `AttentionInBf16`.

    Of windows of at most `longest` tokens, so many `tokens` together.
    """
    for step in range(SIZE_STEP, _step(longest) + 1, SIZE_STEP):
        count = 1
        while count <= _most(step, heads) and count * (step - SIZE_STEP + 1) <= tokens:
            yield [min(step, tokens // count)] * count
            count *= 2


def _together(sizes: list[int], at: int, heads: int) -> int:
    """Return how many windows from `at` on are computed together: 1, 2, 4, ... of one step."""
    step, count = _step(sizes[at]), 1
    while 2 * count <= _most(step, heads) and at + 2 * count <= len(sizes):
        for size in sizes[at + count : at + 2 * count]:
            if _step(size) != step:
                return count
        count *= 2
    return count


def _most(step: int, heads: int, together: int = SCORES_TOGETHER) -> int:
    return max(1, together // (heads * step * step))


def _step(size: int, step: int = SIZE_STEP) -> int:
    return (size + step - 1) // step * step
