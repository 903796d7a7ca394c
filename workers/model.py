"""Load the guard model that workers serve. Importing this module is cheap; torch comes with the first real model."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from screening.detectors.base import GuardModel
from workers.runtimes.errors import ModelUnavailable

__all__ = ["DEFAULT_FOLDER", "ModelUnavailable", "load_model", "serve_model"]

log = logging.getLogger(__name__)

#: More than any machine has cores.
MOST_LANES = 1_024
DEFAULT_FOLDER = Path(__file__).resolve().parent / "models" / "minilm-guard-8"


def load_model(source: str = "", device: str = "auto", *, threads: int | None = None) -> GuardModel:
    """Return the guard model named by `source`, ready to predict in plain fp32: the reference for every other way.

    `source`: "" or "default" for the heads that ship, "fake" for the model that looks at nothing, else the path of a
    model folder. `device`: "auto" (CUDA when present, else CPU), or a torch device. `threads`: torch's threads for
    this process; None leaves them as they are. Fetches nothing from a network. Raise ModelUnavailable, saying what to
    do, when files are missing, damaged or not the expected ones; nothing is kept of a failed attempt, so the next call
    starts afresh.
    """
    if source == "fake":
        return _fake()
    _prepare(threads)
    from workers.runtimes.guard import EncoderGuard

    return EncoderGuard(_folder(source), device=device)


def serve_model(source: str = "", device: str = "auto", precision: str = "auto", lanes: str = "auto") -> GuardModel:
    """Return the same model for the threads of a worker: they share batches, in the first way that keeps the scores.

    `precision`: "auto", "fp32", "bf16" or "int8". `lanes`: how many batches are read at the same time on a CPU; "auto"
    is one for each core that this process may use. What is returned owns threads, so make it after any fork.
    """
    if source == "fake":
        log.warning("COUNTERSIGN_GUARD_MODEL is fake: no text is read, and none is found to be harmful")
        return _fake()
    _prepare(None)
    from workers.runtimes.choice import precision_of
    from workers.runtimes.shared import SharedGuard

    count = _lanes(lanes)
    return SharedGuard(_folder(source), device=device, precision=precision_of(precision), lanes=count)


def _lanes(setting: str) -> int:
    if setting == "auto":
        return usable_cores()
    if not setting.isdecimal() or not 1 <= int(setting) <= MOST_LANES:
        raise ModelUnavailable(f"COUNTERSIGN_LANES is {setting}: use auto or a number from 1 to {MOST_LANES}.")
    return int(setting)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fake() -> GuardModel:
    from workers.runtimes.fake import FakeGuard

    return FakeGuard()


def _prepare(threads: int | None) -> None:
    # The encoder is built from local bytes and asks no hub; this makes sure of it whatever a library does on import.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    if threads is not None:
        torch.set_num_threads(threads)


def _folder(source: str) -> Path:
    return DEFAULT_FOLDER if source in ("", "default") else Path(source).expanduser()
