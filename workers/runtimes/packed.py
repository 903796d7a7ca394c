"""The pass without padding: the tokens of all windows one after another, and attention within each window.

The same code runs on the CPU (fp32, bf16, int8) and on CUDA (fp32, bf16). They differ in the layers (layers.py), in how
tokens attend (attention.py) and are pooled (pooling.py), and in that the CPU has all of it as a script (unlocked.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
import torch

from workers.runtimes.attention import (
    Attention,
    AttentionByRuns,
    AttentionInBf16,
    FlashAttention,
    every_group,
)
from workers.runtimes.kernels import KERNEL_STEP, every_number, missing_tokens
from workers.runtimes.layers import LayerMaker, PackedNet
from workers.runtimes.net import GuardNet, by_window, padded
from workers.runtimes.pooling import PackedPooling, RowPooling
from workers.runtimes.processor import Precision, computes_bf16
from workers.runtimes.room import SMALLEST_BUDGET
from workers.runtimes.tuples import Layout, Outputs
from workers.runtimes.unlocked import as_written, without_python

log = logging.getLogger(__name__)

#: Tokens in a batch. More gains nothing on a CPU, whose products are as fast with 512 rows as with 4,096.
CPU_BUDGET, CUDA_BUDGET = 1_024, 65_536


class PackedRuntime:
    """Runs a `GuardNet` on windows of word pieces [ids], int32. On CUDA it is called from one thread."""

    def __init__(self, net: GuardNet, *, device: torch.device, precision: Precision) -> None:
        """Keep encoder and heads of `net`, rebuilt for `device` and `precision`; int8 needs its ranges."""
        self.overlaps = device.type == "cuda"
        self.budget = CUDA_BUDGET if self.overlaps else CPU_BUDGET
        self.name = f"packed {precision} on {device}"
        self._device = device
        self._net = net.to(device)
        self._attention = _attention(net, device, precision)
        make = LayerMaker(self._net, precision, self._attention)
        self._packed = PackedNet(make, RowPooling() if self.overlaps else PackedPooling()).to(device)
        self._pass = self._packed if self.overlaps else without_python(self._packed)

    def warm_up(self, window: int) -> None:
        """Be ready for any batch of windows of `window` tokens at most. To be called by each thread that launches.

        No check is to wait for a kernel, and memory is to have its full size before the first. Kernels stay, so they
        come first: behind the memory of a batch they would leave holes.
        """
        if self.overlaps:
            # Other numbers of rows have other kernels, which CUDA loads at their first use, and pinned memory is kept
            # by powers of two.
            tokens = 2
            while tokens < self.budget:
                self.launch(_windows(tokens, window))()
                tokens *= 2
        else:
            self._make_kernels(window)
        for size in (window, KERNEL_STEP, window // 3, window):
            self.launch(_windows(self.budget // size * size, size))()

    @torch.inference_mode()
    def _make_kernels(self, window: int) -> None:
        # In Python, whose kernels the script has. The layers behind the first have the same ones.
        layer, heads = self._packed.layers[0], self._net.encoder.layers[0].heads
        numbers = [*every_number(window, self.budget)]
        states = self._packed.norm(self._packed.words(torch.zeros(self.budget, dtype=torch.int32)))
        for sizes in (*numbers, *every_group(window, self.budget, heads)):
            layer(states[: sum(sizes)], self._attention.layout(sizes, idle=False))
        for sizes in numbers:
            own = states[: sum(sizes)]
            self._packed.said([own] * (len(self._packed.layers) + 1), torch.tensor(sizes), max(sizes))

    def launch(self, pieces: Sequence[np.ndarray]) -> Callable[[], list[Outputs]]:
        """Start a batch; what is returned waits and gives one `Outputs` a window, without padding, on the CPU.

        When the device's memory runs out, the budget is halved, for good, and the batch goes in two.
        """
        try:
            filler = self._filler(pieces)
            collect = self._launch([*pieces, *filler], sum(map(len, filler)))
            return lambda: collect()[: len(pieces)]
        except torch.OutOfMemoryError:
            if len(pieces) == 1:
                raise
        if len(pieces) * max(map(len, pieces)) <= self.budget:  # else it is half of a batch that was made before
            self.budget = max(SMALLEST_BUDGET, self.budget // 2)
            log.warning("the memory of %s ran out: batches now have %d tokens", self._device, self.budget)
        if self.overlaps:
            torch.cuda.empty_cache()
        half = len(pieces) // 2
        # One after the other: what the first half holds would be missing for the second.
        first = self.launch(pieces[:half])()
        second = self.launch(pieces[half:])()
        return lambda: first + second

    def _filler(self, pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return a window that nobody asked for, where a kernel is made afresh for every new number of tokens."""
        tokens = sum(map(len, pieces))
        missing = 0 if self.overlaps else missing_tokens(tokens)
        return [np.zeros(missing, dtype=np.int32)] if missing else []

    @torch.inference_mode()
    def _launch(self, pieces: Sequence[np.ndarray], idle: int) -> Callable[[], list[Outputs]]:
        sizes = [len(piece) for piece in pieces]
        ids = torch.from_numpy(np.concatenate(pieces))
        out = self._read_by_cuda(ids, sizes) if self.overlaps else self._read(ids, sizes, idle > 0)
        if self._net.words is not None:
            out = self._net.with_words(out, *map(self._to_device, padded([piece.tolist() for piece in pieces])))
        return self._collect(out, sizes)

    def _read(self, ids: torch.Tensor, sizes: list[int], idle: bool) -> Outputs:
        with as_written():
            return Outputs(*self._pass(ids, sizes, idle))

    def _read_by_cuda(self, ids: torch.Tensor, sizes: list[int]) -> Outputs:
        layout = self._attention.layout(sizes, idle=False)
        layout = Layout(layout.shapes, [self._to_device(part) for part in layout.tensors])
        return self._packed.read(self._to_device(ids), self._to_device(torch.tensor(sizes)), max(sizes), layout)

    def _collect(self, out: Outputs, sizes: Sequence[int]) -> Callable[[], list[Outputs]]:
        host = Outputs(self._to_host(out.logits), self._to_host(out.tokens), self._to_host(out.embedding))
        done = torch.cuda.current_stream(self._device).record_event() if self.overlaps else None

        def rows() -> list[Outputs]:
            if done is not None:
                done.synchronize()
            return by_window(host, None if host.tokens is None else torch.split(host.tokens, list(sizes)))

        return rows

    def _to_device(self, host: torch.Tensor) -> torch.Tensor:
        # From pinned memory the copy does not wait for what the device is still computing.
        return host.pin_memory().to(self._device, non_blocking=True) if self.overlaps else host

    @overload
    def _to_host(self, part: torch.Tensor) -> torch.Tensor: ...
    @overload
    def _to_host(self, part: torch.Tensor | None) -> torch.Tensor | None: ...
    def _to_host(self, part: torch.Tensor | None) -> torch.Tensor | None:
        if part is None or not self.overlaps:
            return part
        host = torch.empty(part.shape, dtype=part.dtype, pin_memory=True)
        return host.copy_(part, non_blocking=True)


def _attention(net: GuardNet, device: torch.device, precision: Precision) -> Attention:
    if precision != "fp32" and computes_bf16(device):
        return FlashAttention() if device.type == "cuda" else AttentionInBf16(net.encoder.layers[0].heads)
    return AttentionByRuns()


def _windows(tokens: int, longest: int) -> list[np.ndarray]:
    """Return so many tokens that mean nothing, in windows that are as long as they may be."""
    whole, rest = divmod(tokens, longest)
    return [np.zeros(size, dtype=np.int32) for size in [longest] * whole + [rest] * (rest > 0)]
