"""A model folder to the module that runtimes run: heads alone, or heads with adapters of the encoder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from screening.categories import MODEL_ENTITIES
from workers.runtimes.encoder import encoder_net
from workers.runtimes.errors import ModelUnavailable
from workers.runtimes.heads import ModelConfig, check_config, load_heads, remedy_of
from workers.runtimes.joint import JointConfig, JointHeads, merge_adapters
from workers.runtimes.net import GuardNet, PooledHeads, WordWeights
from workers.runtimes.ranges import from_bytes

ADAPTERS, HEADS, CONFIG = "adapter_model.safetensors", "heads.safetensors", "config.json"
RANGES = "ranges.safetensors"


def load_net(folder: Path) -> tuple[ModelConfig, GuardNet]:
    """Read a model folder. Raise ModelUnavailable unless it is whole, unchanged and made for this encoder."""
    found = _config(folder)
    if found.get("format") == 2:
        return load_joint(folder)
    if "architectures" in found or "model_type" in found:
        raise ModelUnavailable(
            f"{folder} holds a model in the Hugging Face form: name it in the models file and use that name "
            "(docs/reference/models.md)."
        )
    config, heads = load_heads(folder)
    return config, GuardNet(encoder_net(), PooledHeads(heads, config.layers), WordWeights(heads))


def load_joint(folder: Path) -> tuple[JointConfig, GuardNet]:
    """Read a folder of heads with adapters, and merge the adapters into the encoder. Raise ModelUnavailable."""
    remedy = remedy_of(folder)
    try:
        config = JointConfig.model_validate_json((folder / CONFIG).read_bytes())
        adapters, data = (folder / ADAPTERS).read_bytes(), (folder / HEADS).read_bytes()
        ranges = (folder / RANGES).read_bytes() if config.ranges_sha256 else None
    except OSError as error:
        raise ModelUnavailable(f"Cannot read {error.filename}: {error.strerror}. {remedy}") from error
    except ValidationError as error:
        raise ModelUnavailable(f"{folder / CONFIG} is not a heads config. {remedy}") from error
    check_config(config, data, remedy)
    if hashlib.sha256(adapters).hexdigest() != config.adapters_sha256:
        raise ModelUnavailable(f"{ADAPTERS} is damaged or not the file of its config (SHA-256). {remedy}")
    if ranges is not None and hashlib.sha256(ranges).hexdigest() != config.ranges_sha256:
        raise ModelUnavailable(f"{RANGES} is damaged or not the file of its config (SHA-256). {remedy}")
    if config.entities != MODEL_ENTITIES:
        raise ModelUnavailable(f"The token head answers for other entities than this version's. {remedy}")
    encoder = encoder_net()
    heads = JointHeads(layers=config.layers, hidden=config.hidden, token_hidden=config.token_hidden)
    try:
        merge_adapters(encoder, load_tensors(adapters), config.adapter_scaling)
        heads.load_state_dict({k: v.float() for k, v in load_tensors(data).items()})
        net = GuardNet(encoder, heads)
        if ranges is not None:
            net.ranges = from_bytes(ranges, {name: linear.in_features for name, linear in net.reading_tokens()})
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ModelUnavailable(f"What is in {folder} does not fit its config. {remedy}") from error
    return config, net


def _config(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError):
        return {}  # the reader of the format says what is wrong
    return found if isinstance(found, dict) else {}
