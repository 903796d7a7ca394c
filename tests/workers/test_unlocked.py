"""On a CPU a pass is one call out of Python, and gives what its modules give in Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from workers.model import DEFAULT_FOLDER
from workers.runtimes import packed
from workers.runtimes.folders import load_net
from workers.runtimes.net import GuardNet
from workers.runtimes.packed import PackedRuntime
from workers.runtimes.processor import Precision
from workers.runtimes.unlocked import without_python

CPU = torch.device("cpu")
SIZES = [3, 40, 40, 41, 256, 2, 97]
PRECISIONS: list[Precision] = ["fp32", "bf16", "int8"]


class Counted(TorchFunctionMode):
    """Counts what Python asks of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def net() -> GuardNet:
    return load_net(DEFAULT_FOLDER)[1]


@pytest.fixture(scope="module")
def rows() -> list[np.ndarray]:
    chance = np.random.default_rng(5)
    return [chance.integers(999, 20_000, size).astype(np.int32) for size in SIZES]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_python_asks_little_of_torch_in_a_pass(net: GuardNet, rows: list[np.ndarray], precision: Precision) -> None:
    runtime = PackedRuntime(net, device=CPU, precision=precision)
    with Counted() as counted:
        runtime.launch(rows)()
    # Each call may wait for Python's lock. In Python a pass makes hundreds.
    assert 0 < counted.calls < 30


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_pass_gives_what_it_gives_in_python(
    net: GuardNet, rows: list[np.ndarray], precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = PackedRuntime(net, device=CPU, precision=precision)
    monkeypatch.setattr(packed, "without_python", lambda module: module)
    plain = PackedRuntime(net, device=CPU, precision=precision)
    with Counted() as counted:
        expected = plain.launch(rows)()
    assert counted.calls > 300, "this one asks torch for every step"
    for own, other in zip(script.launch(rows)(), expected, strict=True):
        torch.testing.assert_close(tuple(own), tuple(other), atol=0, rtol=0)


def test_from_python_3_14_on_modules_stay_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Linear(2, 2)
    assert isinstance(without_python(module), torch.jit.ScriptModule)
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert without_python(module) is module
