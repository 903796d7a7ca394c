"""A worker whose GPU fails ends, because CUDA works again only in a new process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
import torch

from workers import loading as model_loading


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda process, number: signals.append(number))
    return signals


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], object]]:
    def loading(*answers: object) -> Callable[[], object]:
        left: Iterator[object] = iter(answers)

        def serve(*settings: str) -> object:
            answer = next(left)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(model_loading, "serve_model", serve)
        return model_loading.patient_loader()

    return loading


def test_a_gpu_that_fails_after_it_served_ends_the_worker(
    loading: Callable[..., Callable[[], object]], ended: list[int]
) -> None:
    load = loading("a model", torch.AcceleratorError("an illegal memory access was encountered"))
    assert load() == "a model"
    with pytest.raises(torch.AcceleratorError):
        load()
    assert ended == [signal.SIGTERM]


def test_a_worker_that_never_had_its_gpu_goes_on(
    loading: Callable[..., Callable[[], object]], ended: list[int]
) -> None:
    load = loading(torch.AcceleratorError("no device"))
    with pytest.raises(torch.AcceleratorError):
        load()
    assert ended == []


def test_a_worker_that_lacks_a_file_later_goes_on(
    loading: Callable[..., Callable[[], object]], ended: list[int]
) -> None:
    load = loading("a model", OSError("no file"))
    load()
    with pytest.raises(OSError, match="no file"):
        load()
    assert ended == []
