"""Which device a model runs on: one that computes, or an error that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from workers.model import load_model
from workers.runtimes import devices
from workers.runtimes.devices import computing_gpus, resolve_device
from workers.runtimes.errors import ModelUnavailable


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    for found in (devices._seen, devices._refusal):
        found.cache_clear()
    yield
    for found in (devices._seen, devices._refusal):
        found.cache_clear()


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have torch see GPUs, one for each answer: what it raises, or None for one that computes."""

    def gpus(*answers: Exception | None) -> None:
        def ones(count: int, *, device: str) -> torch.Tensor:
            answer = answers[int(device.removeprefix("cuda:"))]
            if answer is not None:
                raise answer
            return torch.tensor([1.0])

        monkeypatch.setattr(torch, "ones", ones)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(answers))

    return gpus


def too_old() -> torch.AcceleratorError:
    return torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device\nmore")


def test_a_device_that_is_not_there_is_named() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ModelUnavailable, match="cuda"):
        load_model("", "cuda")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "mps", "CPU"])
def test_a_name_that_is_none_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(ModelUnavailable, match="Say auto, cpu, cuda or cuda:N"):
        resolve_device(name)


def test_a_device_beyond_those_that_are_there_is_named(gpus: Callable[..., None]) -> None:
    gpus(None)
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(ModelUnavailable, match="cuda:1"):
        resolve_device("cuda:1")


def test_auto_takes_the_first_gpu_that_computes(gpus: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    gpus(too_old(), None, None)
    assert resolve_device("auto") == torch.device("cuda:1")
    assert list(computing_gpus()) == [1, 2]
    said = [record.getMessage() for record in caplog.records]
    assert said == ["cuda:0 does not compute: CUDA error: no kernel image is available for execution on the device"]


def test_auto_takes_the_cpu_where_no_gpu_computes(gpus: Callable[..., None]) -> None:
    gpus(too_old())
    assert resolve_device("auto") == torch.device("cpu")


def test_a_gpu_that_does_not_compute_is_refused_by_name(gpus: Callable[..., None]) -> None:
    gpus(too_old())
    with pytest.raises(ModelUnavailable, match=r"no kernel image is available .* Use auto or cpu"):
        resolve_device("cuda")


def test_a_gpu_without_room_computes(gpus: Callable[..., None]) -> None:
    gpus(torch.OutOfMemoryError("CUDA out of memory"))
    assert resolve_device("auto") == torch.device("cuda:0")


def test_a_gpu_that_worked_is_not_left_for_the_cpu(gpus: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(None)
    assert resolve_device("auto") == torch.device("cuda:0")
    gpus(torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cuda:0")
