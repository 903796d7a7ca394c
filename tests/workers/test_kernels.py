"""That kernels are few, and all made before the first check, is what oneDNN itself says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from workers.runtimes.kernels import gelu
from workers.runtimes.processor import Precision, has_onednn

READ = """
import random, sys
from workers.model import DEFAULT_FOLDER
from workers.runtimes.shared import SharedGuard

guard = SharedGuard(DEFAULT_FOLDER, device="cpu", precision=sys.argv[1])
guard.predict(["The lane is ready when this is read."])
print("READY", flush=True)
dice = random.Random(7)
for longest in [3, 12, 40, 100, 400] * 3:
    texts = ["word " * dice.randint(0, longest) for _ in range(dice.randint(1, 2_000 // longest))]
    assert not any(one.unscanned for one in guard.predict(texts))
guard.close()
"""


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_no_text_needs_a_kernel_that_was_not_made_at_the_start(precision: Precision) -> None:
    verbose = {**os.environ, "ONEDNN_VERBOSE": "profile_create", "ONEDNN_VERBOSE_TIMESTAMP": "0"}
    done = subprocess.run(
        [sys.executable, "-c", READ, precision], env=verbose, capture_output=True, text=True, check=True
    )
    before, ready, after = done.stdout.partition("READY")
    assert ready
    assert "cache_miss" in before or not has_onednn()
    assert [line for line in after.splitlines() if "cache_miss" in line] == []


def test_gelu_without_onednn_is_that_of_torch() -> None:
    x = torch.linspace(-12, 12, 4_001)
    with torch.inference_mode():
        torch.testing.assert_close(gelu(x), torch.nn.functional.gelu(x), atol=1e-6, rtol=1e-6)
    assert torch.equal(gelu(x), torch.nn.functional.gelu(x))
