"""Write a heads folder: heads.safetensors and config.json, the same bytes for the same heads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save

from feedback.training.features import Spec
from screening.categories import MODEL_CATEGORIES
from workers.runtimes.encoder import ENCODER_SHA256
from workers.runtimes.heads import Calibration, Heads, HeadsConfig, Thresholds


def write_heads(
    folder: Path,
    heads: Heads,
    *,
    name: str,
    spec: Spec,
    calibration: dict[str, Calibration],
    thresholds: dict[str, Thresholds],
) -> HeadsConfig:
    """Write both files, each complete before it gets its name, and return the config."""
    data = save({k: v.detach().to(torch.float16).contiguous() for k, v in sorted(heads.state_dict().items())})
    config = HeadsConfig(
        format=1,
        name=name,
        categories=MODEL_CATEGORIES,
        encoder_sha256=ENCODER_SHA256,
        heads_sha256=hashlib.sha256(data).hexdigest(),
        window=spec.window,
        overlap=spec.overlap,
        layers=spec.layers,
        hidden=heads.hidden.out_features,
        calibration=calibration,
        thresholds=thresholds,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "heads.safetensors", data)
    write_whole(folder / "config.json", (config.model_dump_json(indent=1) + "\n").encode())
    return config


def write_whole(path: Path, data: bytes) -> None:
    """Write `path` so that no reader ever sees a part of it."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
