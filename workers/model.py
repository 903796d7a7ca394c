"""Load the guard model that workers serve. Importing this module is cheap; torch comes with the first real model."""

from __future__ import annotations

import os
from pathlib import Path

from screening.detectors.base import GuardModel
from workers.runtimes.errors import ModelUnavailable

__all__ = ["DEFAULT_FOLDER", "ModelUnavailable", "load_model"]

DEFAULT_FOLDER = Path(__file__).resolve().parent / "models" / "minilm-heads-1"


def load_model(source: str = "", device: str = "auto", *, threads: int | None = None) -> GuardModel:
    """Return the guard model named by `source`, ready to predict.

    `source`: "" or "default" for the heads that ship, "fake" for the model that looks at nothing, else the path of a
    heads folder. `device`: "auto" (CUDA when present, else CPU), or a torch device. `threads`: torch's threads for
    this process; None leaves them as they are. Fetches nothing from a network. Raise ModelUnavailable, saying what to
    do, when files are missing, damaged or not the expected ones; nothing is kept of a failed attempt, so the next call
    starts afresh.
    """
    if source == "fake":
        from workers.runtimes.fake import FakeGuard

        return FakeGuard()
    # The encoder is built from local bytes and asks no hub; this makes sure of it whatever a library does on import.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    from workers.runtimes.guard import EncoderGuard

    if threads is not None:
        torch.set_num_threads(threads)
    folder = DEFAULT_FOLDER if source in ("", "default") else Path(source).expanduser()
    return EncoderGuard(folder, device=device)
