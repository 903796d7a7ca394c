"""A worker whose GPU fails ends, because CUDA works again only in a new process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
import torch

from workers import loading as model_loading
from workers.runtimes.errors import ModelUnavailable


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


def test_why_a_model_cannot_be_used_is_logged_once(
    loading: Callable[..., Callable[[], object]], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_loading, "RETRY_MODEL_SECONDS", 0.0)
    away = ModelUnavailable("Cannot read /away/config.json. Restore it.")
    load = loading(away, away, ModelUnavailable("It is damaged."), "a model", away)
    for _ in range(3):
        with pytest.raises(ModelUnavailable):
            load()
    load()
    with pytest.raises(ModelUnavailable):
        load()
    said = [record.getMessage().removeprefix("the guard model cannot be used: ") for record in caplog.records]
    assert said == [str(away), "It is damaged.", str(away)]


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
