"""On a CPU a pass is one call out of Python, and gives what its modules give in Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from workers.runtimes.tuples import Outputs
from workers.runtimes.unlocked import without_python

CPU = torch.device("cpu")
#: One token, many of one size, all kinds with and without a window that fills them up.
SIZES = [[1], [2], [16] * 40, [3, 40, 40, 41, 256, 2, 97], [64, 64, 256, 256, 256]]
PRECISIONS: list[Precision] = ["fp32", "bf16", "int8"]
scripted = pytest.mark.skipif(sys.version_info >= (3, 14), reason="modules stay in Python from 3.14 on")


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


def rows_of(sizes: Sequence[int]) -> list[np.ndarray]:
    chance = np.random.default_rng(5)
    return [chance.integers(999, 20_000, size).astype(np.int32) for size in sizes]


def assert_same(got: Sequence[Outputs], expected: Sequence[Outputs]) -> None:
    for own, other in zip(got, expected, strict=True):
        torch.testing.assert_close(tuple(own), tuple(other), atol=0, rtol=0)


def calls_of(runtime: PackedRuntime) -> Any:
    with Counted() as counted:
        runtime.launch(rows_of(SIZES[3]))()
    return counted.calls


@scripted
@pytest.mark.parametrize("precision", PRECISIONS)
def test_python_asks_little_of_torch_in_a_pass(net: GuardNet, precision: Precision) -> None:
    # Each call may wait for Python's lock. In Python a pass makes hundreds.
    assert 0 < calls_of(PackedRuntime(net, device=CPU, precision=precision)) < 30


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_pass_gives_what_it_gives_in_python(
    net: GuardNet, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = PackedRuntime(net, device=CPU, precision=precision)
    monkeypatch.setattr(packed, "without_python", lambda module: module)
    plain = PackedRuntime(net, device=CPU, precision=precision)
    assert calls_of(plain) > 300, "this one asks torch for every step"
    for sizes in SIZES:
        assert_same(script.launch(rows_of(sizes))(), plain.launch(rows_of(sizes))())


def test_threads_share_it_when_it_is_warm(net: GuardNet) -> None:
    runtime = PackedRuntime(net, device=CPU, precision="fp32")
    expected = [runtime.launch(rows_of(sizes))() for sizes in SIZES]
    with ThreadPoolExecutor(2, initializer=runtime.warm_up, initargs=(256,)) as threads:
        passes = [threads.submit(lambda sizes: runtime.launch(rows_of(sizes))(), sizes) for sizes in SIZES * 4]
        for one, other in zip(passes, expected * 4, strict=True):
            assert_same(one.result(), other)


def test_scripts_run_as_they_are_written_from_the_warm_up_on(net: GuardNet, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = PackedRuntime(net, device=CPU, precision="fp32")
    script, optimised = runtime._pass, list[bool]()

    def watched(*args: Any) -> Any:
        optimised.append(torch._C._get_graph_executor_optimize())
        return script(*args)

    monkeypatch.setattr(runtime, "_pass", watched)
    runtime.warm_up(64)
    assert len(optimised) > 2
    assert not any(optimised)


@scripted
def test_from_python_3_14_on_modules_stay_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Linear(2, 2).eval()
    assert isinstance(without_python(module), torch.jit.ScriptModule)
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert without_python(module) is module
