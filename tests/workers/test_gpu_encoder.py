"""The same scores on CUDA as on the CPU."""

from __future__ import annotations

import pytest

from workers.model import load_model

pytestmark = pytest.mark.gpu


def test_a_cuda_device_gives_the_scores_of_the_cpu() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    texts = ["A calm remark about the weather.", "You are a worthless idiot.", "Long. " * 700, ""]
    on_cpu, on_cuda = load_model("", "cpu").predict(texts), load_model("", "cuda").predict(texts)
    for expected, got in zip(on_cpu, on_cuda, strict=True):
        assert got.scores == pytest.approx(expected.scores, abs=1e-3)
