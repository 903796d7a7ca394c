"""Encoded texts, kept on disk so that a second training run takes a minute.

A cache folder belongs to one encoder, window and pooling; files in it hold up to 512 texts each as numbers, keyed by
the SHA-256 of the text, and are written under a temporary name first. An interrupted run therefore resumes where it
stopped, and a changed text set encodes only what is new.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from workers.runtimes.encoder import ENCODER_SHA256, Encoder
from workers.runtimes.pooling import pool
from workers.runtimes.windows import Window

CHUNK = 512
#: Windows of a long text that are trained on: its first and its last.
MAX_WINDOWS = 2


@dataclass(frozen=True)
class Spec:
    """What a feature vector is made of; part of the trained model's config."""

    window: int = 256
    overlap: int = 32
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)

    def key(self) -> str:
        return hashlib.sha256(f"{ENCODER_SHA256}:{self}:{MAX_WINDOWS}:fp16".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Features:
    """`vectors` [windows, dims] fp16, `ids` word pieces a window, `owner` [windows]: the text each belongs to."""

    vectors: np.ndarray
    ids: list[tuple[int, ...]]
    owner: np.ndarray


def encode(
    texts: Sequence[str],
    *,
    encoder: Encoder,
    spec: Spec,
    cache: Path,
    progress: Callable[[int], object] = lambda _done: None,
) -> Features:
    """Return the features of `texts`, in order, encoding what the cache does not hold. `progress` gets text counts."""
    folder = cache / spec.key()
    folder.mkdir(parents=True, exist_ok=True)
    windows = training_windows(texts, encoder=encoder, spec=spec)
    keys = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts]
    known = _read(folder, frozenset(keys))
    missing = sorted({i for i, key in enumerate(keys) if key not in known}, key=lambda i: (len(texts[i]), keys[i]))
    progress(len(texts) - len(missing))
    for chunk in _chunks(missing):
        vectors = _encode_chunk(chunk, windows, encoder, spec)
        _write(folder, [keys[i] for i in chunk], vectors)
        known.update({keys[i]: v for i, v in zip(chunk, vectors, strict=True)})
        progress(len(chunk))
    return Features(
        vectors=np.concatenate([known[key] for key in keys]),
        ids=[w.ids for own in windows for w in own],
        owner=np.repeat(np.arange(len(texts)), [len(own) for own in windows]),
    )


def training_windows(texts: Sequence[str], *, encoder: Encoder, spec: Spec) -> list[list[Window]]:
    """Return the windows of each text; of a long one the first and the last, where injected text likes to sit."""
    own: list[list[Window]] = [[] for _ in texts]
    for window in encoder.tokenizer.windows(texts, size=spec.window, overlap=spec.overlap):
        own[window.text].append(window)
    return [w if len(w) <= MAX_WINDOWS else [w[0], w[-1]] for w in own]


def _encode_chunk(
    chunk: Sequence[int], windows: Sequence[Sequence[Window]], encoder: Encoder, spec: Spec
) -> list[np.ndarray]:
    flat = [w for i in chunk for w in windows[i]]
    rows: list[np.ndarray] = [np.empty(0)] * len(flat)
    for positions, states, mask in encoder.hidden_states(flat):
        pooled = pool(states, mask, spec.layers).to(torch.float16).cpu().numpy()
        for position, row in zip(positions, pooled, strict=True):
            rows[position] = row
    ends = np.cumsum([len(windows[i]) for i in chunk])
    return [np.stack(rows[end - len(windows[i]) : end]) for i, end in zip(chunk, ends, strict=True)]


def _chunks(items: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _write(folder: Path, keys: Sequence[bytes], vectors: Sequence[np.ndarray]) -> None:
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:24]
    temporary = folder / f"{name}.{os.getpid()}.tmp"
    save_file(
        {
            "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), 32),
            "counts": np.array([len(v) for v in vectors], dtype=np.int64),
            "vectors": np.concatenate(vectors),
        },
        temporary,
    )
    temporary.replace(folder / f"{name}.safetensors")


def _read(folder: Path, wanted: frozenset[bytes]) -> dict[bytes, np.ndarray]:
    known: dict[bytes, np.ndarray] = {}
    for path in sorted(folder.glob("*.safetensors")):
        chunk = load_file(path)
        ends = np.cumsum(chunk["counts"])
        for key, count, end in zip(chunk["keys"], chunk["counts"], ends, strict=True):
            if (name := key.tobytes()) in wanted:
                known[name] = chunk["vectors"][end - count : end]
    return known
