"""The same scores on CUDA as on the CPU: of the plain pass, of batches in flight together, and short of memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from workers.model import DEFAULT_FOLDER, load_model
from workers.runtimes.choice import MOST
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.folders import load_net
from workers.runtimes.packed import CUDA_BUDGET, PackedRuntime
from workers.runtimes.processor import Precision, computes_bf16
from workers.runtimes.shared import SharedGuard
from workers.runtimes.tuples import Outputs

TEXTS = ["A calm remark about the weather.", "You are a worthless idiot.", "Long. " * 700, ""]
CUDA = torch.device("cuda")
#: How near the scores of a window are in two batches.
NEAR = {"fp32": 1e-4, "bf16": 0.05}

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _with_cuda() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


def rows_of(texts: Sequence[str]) -> list[np.ndarray]:
    windows = load_tokenizer().windows(texts, size=256, overlap=32)
    return [np.array(window.ids, dtype=np.int32) for window in windows]


def assert_same(got: Sequence[Outputs], expected: Sequence[Outputs], precision: Precision) -> None:
    for one, other in zip(got, expected, strict=True):
        assert one.tokens is not None
        assert other.tokens is not None
        assert one.embedding is not None
        assert other.embedding is not None
        pairs = [
            (one.logits.sigmoid(), other.logits.sigmoid()),
            (one.tokens.softmax(-1), other.tokens.softmax(-1)),
            (one.embedding, other.embedding),
        ]
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, atol=NEAR[precision], rtol=0)


def runtime_of(precision: Precision) -> PackedRuntime:
    if precision == "bf16" and not computes_bf16(CUDA):
        pytest.skip("needs a device that computes in bf16")
    return PackedRuntime(load_net(DEFAULT_FOLDER)[1], device=CUDA, precision=precision)


def test_a_cuda_device_gives_the_scores_of_the_cpu() -> None:
    on_cpu, on_cuda = load_model("", "cpu").predict(TEXTS), load_model("", "cuda").predict(TEXTS)
    for expected, got in zip(on_cpu, on_cuda, strict=True):
        assert got.scores == pytest.approx(expected.scores, abs=1e-3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_batches_in_flight_together_do_not_touch_each_other(precision: Precision) -> None:
    runtime, rows = runtime_of(precision), rows_of(TEXTS)
    alone = [runtime.launch([row])()[0] for row in rows]
    for _ in range(5):
        flying = [runtime.launch([row] * 50) for row in rows]
        for collect, expected in zip(flying, alone, strict=True):
            assert_same(collect(), [expected] * 50, precision)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_memory_that_runs_out_on_the_device_halves_the_budget_and_loses_nothing(precision: Precision) -> None:
    runtime, rows = runtime_of(precision), rows_of(["Long. " * 700])[:1]
    alone = runtime.launch(rows)()
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + (256 << 20)
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.get_device_properties(CUDA).total_memory)
    try:
        got = runtime.launch(rows * (CUDA_BUDGET // 256))()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert runtime.budget < CUDA_BUDGET
    assert_same(got, alone * len(got), precision)


def test_many_callers_on_cuda_get_what_the_cpu_says() -> None:
    texts = [f"{number}: {text}" for number in range(16) for text in TEXTS]
    guard = SharedGuard(DEFAULT_FOLDER, device="cuda")
    try:
        assert guard.runtime.name.startswith("packed bf16" if computes_bf16(CUDA) else "packed fp32")
        with ThreadPoolExecutor(8) as callers:
            served = [one for group in callers.map(guard.predict, [[text] for text in texts]) for one in group]
    finally:
        guard.close()
    for got, expected in zip(served, load_model("", "cpu").predict(texts), strict=True):
        assert got.unscanned == ""
        assert got.scores == pytest.approx(expected.scores, abs=2 * MOST)
        assert np.dot(got.embedding, expected.embedding) > 0.99
