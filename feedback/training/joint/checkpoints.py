"""Where a training run stands, so that it goes on after whatever ended it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Checkpoint:
    """After `step` batches: what training changes, and the optimiser's state."""

    step: int
    trained: dict[str, torch.Tensor]
    optimiser: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path` so that it holds the old or the new checkpoint, whole, whenever the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        torch.save({"step": checkpoint.step, "trained": checkpoint.trained, "optimiser": checkpoint.optimiser}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint at `path`, None when there is none."""
    if not path.exists():
        return None
    data = torch.load(path, map_location="cpu", weights_only=True)
    return Checkpoint(step=data["step"], trained=data["trained"], optimiser=data["optimiser"])
