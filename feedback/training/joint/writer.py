"""Write a model folder: adapters as peft stores them, heads, and config.json; the same bytes for the same weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save

from feedback.training.joint.net import JointNet
from feedback.training.joint.recipe import JointRecipe
from screening.categories import MODEL_CATEGORIES, MODEL_ENTITIES
from workers.runtimes.encoder import ENCODER_SHA256
from workers.runtimes.folders import ADAPTERS, CONFIG, HEADS
from workers.runtimes.heads import Calibration, Thresholds
from workers.runtimes.joint import JointConfig


def write_model(
    folder: Path,
    net: JointNet,
    *,
    name: str,
    recipe: JointRecipe,
    seed: int,
    calibration: dict[str, Calibration],
    thresholds: dict[str, Thresholds],
) -> JointConfig:
    """Write the files, each complete before it gets its name, and return the config. `name` is the model's.

    Weights are stored in half precision: round them before they are measured.
    """
    adapters = _half(get_peft_model_state_dict(net.encoder))  # type: ignore[no-untyped-call]  # peft's
    heads = _half(net.heads.state_dict())
    config = JointConfig(
        format=2,
        name=name,
        seed=seed,
        categories=MODEL_CATEGORIES,
        entities=MODEL_ENTITIES,
        encoder_sha256=ENCODER_SHA256,
        adapters_sha256=hashlib.sha256(adapters).hexdigest(),
        adapter_scaling=recipe.scaling,
        heads_sha256=hashlib.sha256(heads).hexdigest(),
        window=recipe.window,
        overlap=recipe.overlap,
        layers=recipe.layers,
        hidden=recipe.hidden,
        token_hidden=recipe.token_hidden,
        calibration=calibration,
        thresholds=thresholds,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / ADAPTERS, adapters)
    write_whole(folder / HEADS, heads)
    write_config(folder, config)
    return config


def write_config(folder: Path, config: JointConfig) -> None:
    write_whole(folder / CONFIG, (config.model_dump_json(indent=1) + "\n").encode())


def _half(state: dict[str, torch.Tensor]) -> bytes:
    return save({k: v.detach().cpu().to(torch.float16).contiguous() for k, v in sorted(state.items())})


def write_whole(path: Path, data: bytes) -> None:
    """Write `path` so that no reader ever sees a part of it."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
