"""One pass of the guard model in each engine that was considered for it, on one thread, with the real weights.

    pip install openvino nncf onnx onnxscript onnxruntime
    python -m bench.runtimes --data ../shared/data/traffic_replay.jsonl.gz

The app needs none of these packages; engines whose package is missing are left out. All read the same windows of the
same texts in turns: in the batches that the batcher makes with 64 callers, and one window at a time. All but ours are
given padding. Prints microseconds of processor time a token (padding not counted), medians of the rounds, how far the
furthest calibrated score lies from that of plain fp32, how far all do in the mean, and how many windows get other flags
at the model's thresholds. Our int8 has the ranges of the model folder, NNCF calibrates on windows of other texts of the
file; ONNX Runtime's int8 has scales per tensor, found while it reads. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch

from bench.app import ROOT
from bench.guard_engine import read_texts
from workers.batch_choice import nearest
from workers.model import DEFAULT_FOLDER
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.folders import load_net
from workers.runtimes.net import GuardNet, padded
from workers.runtimes.packed import PackedRuntime
from workers.runtimes.processor import Precision, computes_bf16
from workers.runtimes.tuples import Outputs

WINDOW, OVERLAP = 256, 32
BUDGET, WAITING = 1_024, 64
CPU = torch.device("cpu")
CALIBRATION = 120
PACKAGES = ("torch", "openvino", "nncf", "onnxruntime")

Rows = Sequence[np.ndarray]
#: Reads a batch and returns logits [rows, categories].
Read = Callable[[Rows], np.ndarray]


@dataclass
class Engine:
    name: str
    read: Read
    #: Processor seconds of each round.
    batched: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    #: Of calibrated scores from those of plain fp32: the furthest, the mean, and windows with other flags.
    away: float = 0.0
    mean: float = 0.0
    flags: int = 0


class Named(torch.nn.Module):
    """The net with a plain tuple as its answer, for exporters."""

    def __init__(self, net: GuardNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out: Outputs = self.net(input_ids, attention_mask)
        return tuple(one for one in out if one is not None)


def engines(calibration: list[np.ndarray], folder: Path) -> Iterator[Engine]:
    """Make the engines, one after the other; `folder` holds what is exported."""
    precisions: list[Precision] = ["fp32", "int8"]
    if computes_bf16(CPU):
        precisions.insert(1, "bf16")
    for precision in precisions:
        yield Engine(f"ours, {precision}", ours(precision))
    net = Named(load_net(DEFAULT_FOLDER)[1])
    example = padded([row.tolist() for row in calibration[:3]])
    try:
        yield from openvinos(net, example, calibration)
    except ModuleNotFoundError as error:
        print(f"left out: {error}")
    try:
        yield from onnxruntimes(net, example, folder)
    except ModuleNotFoundError as error:
        print(f"left out: {error}")


def ours(precision: Precision) -> Read:
    runtime = PackedRuntime(load_net(DEFAULT_FOLDER)[1], device=CPU, precision=precision)
    with torch.inference_mode():
        runtime.warm_up(WINDOW)

    def read(rows: Rows) -> np.ndarray:
        with torch.inference_mode():
            return np.stack([one.logits.numpy() for one in runtime.launch(rows)()])

    return read


def arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    ids, mask = padded([row.tolist() for row in rows])
    return ids.numpy(), mask.numpy()


def openvinos(net: Named, example: tuple[torch.Tensor, ...], calibration: list[np.ndarray]) -> Iterator[Engine]:
    import nncf
    import openvino

    def engine(name: str, model: object, precision: str) -> Engine:
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        compiled = openvino.Core().compile_model(model, "CPU", settings)
        return Engine(name, lambda rows: np.array(compiled(arrays(rows))[0]))

    with torch.inference_mode():
        model = openvino.convert_model(net, example_input=example)
    yield engine("OpenVINO, fp32", model, "f32")
    if computes_bf16(CPU):
        yield engine("OpenVINO, bf16", model, "bf16")
    known = nncf.Dataset([arrays([row]) for row in calibration])
    small = nncf.quantize(model, known, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration))
    yield engine("OpenVINO, int8 by NNCF, the rest as it prefers", small, "bf16" if computes_bf16(CPU) else "f32")


def onnxruntimes(net: Named, example: tuple[torch.Tensor, ...], folder: Path) -> Iterator[Engine]:
    import onnx
    import onnxruntime
    from onnxruntime.quantization import quantize_dynamic

    def engine(name: str, path: Path) -> Engine:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_inputs()]
        return Engine(name, lambda rows: np.array(session.run(None, dict(zip(names, arrays(rows), strict=True)))[0]))

    whole, small = folder / "whole.onnx", folder / "small.onnx"
    any_size = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens")}
    torch.onnx.export(net, example, whole, dynamo=True, dynamic_shapes=(any_size, any_size), verbose=False)
    yield engine("ONNX Runtime, fp32", whole)
    # Its own reading of the shapes trips over those that the export wrote down.
    bare = onnx.load(whole)
    del bare.graph.value_info[:]
    onnx.save(bare, whole)
    quantize_dynamic(whole, small, per_channel=True)
    yield engine("ONNX Runtime, int8", small)


def windows_of(texts: Sequence[str]) -> list[np.ndarray]:
    """Return the word pieces of all windows of the texts."""
    windows = load_tokenizer().windows(texts, size=WINDOW, overlap=OVERLAP)
    return [np.array(window.ids, dtype=np.int32) for window in windows]


def batches_of(rows: Rows) -> list[list[np.ndarray]]:
    """Return the windows in the batches that the batcher makes of them while WAITING callers ask for one each."""
    batches: list[list[np.ndarray]] = []
    waiting, coming = list(rows[:WAITING]), list(rows[WAITING:])
    while waiting:
        by_length = sorted(range(len(waiting)), key=lambda i: len(waiting[i]))
        low, high = nearest([len(waiting[i]) for i in by_length], by_length.index(0), BUDGET)
        taken = by_length[low:high]
        batches.append([waiting[i] for i in taken])
        waiting = [one for i, one in enumerate(waiting) if i not in taken] + coming[: len(taken)]
        coming = coming[len(taken) :]
    return batches


def reference(rows: Rows) -> np.ndarray:
    """Return calibrated scores [windows, categories] of the plain fp32 pass."""
    net = load_net(DEFAULT_FOLDER)[1]
    with torch.inference_mode():
        return calibrated(np.concatenate([net(*padded([row.tolist()])).logits.numpy() for row in rows]))


def calibrated(logits: np.ndarray) -> np.ndarray:
    scale, shift = _scaling()
    return np.asarray(1 / (1 + np.exp(-(logits * scale + shift))))


def flags(scores: np.ndarray) -> np.ndarray:
    """Return which scores [windows, categories] reach the model's `flag` thresholds."""
    return scores >= _thresholds()


@cache
def _thresholds() -> np.ndarray:
    config = load_net(DEFAULT_FOLDER)[0]
    return np.array([config.thresholds[category].flag for category in config.categories])


@cache
def _scaling() -> tuple[np.ndarray, np.ndarray]:
    return load_net(DEFAULT_FOLDER)[0].scaling


def spent(engine: Engine, batches: Sequence[Rows]) -> float:
    """Return the processor seconds of reading them."""
    start = time.process_time()
    for batch in batches:
        engine.read(batch)
    return time.process_time() - start


def measure(made: Sequence[Engine], rows: Rows, rounds: int) -> None:
    batches = batches_of(rows)
    expected = reference([row for batch in batches for row in batch])
    for engine in made:
        scores = calibrated(np.concatenate([engine.read(b) for b in batches]))
        engine.away, engine.mean = float(abs(scores - expected).max()), float(abs(scores - expected).mean())
        engine.flags = int((flags(scores) != flags(expected)).any(axis=1).sum())
        for row in rows:
            engine.read([row])
    for _ in range(rounds):
        for engine in made:
            engine.batched.append(spent(engine, batches))
            engine.alone.append(spent(engine, [[row] for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=256, help="texts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "runtimes.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = read_texts(options.data, options.count + CALIBRATION, options.seed).texts
    rows, calibration = windows_of(texts[CALIBRATION:]), windows_of(texts[:CALIBRATION])[:CALIBRATION]
    with tempfile.TemporaryDirectory() as folder:
        made = list(engines(calibration, Path(folder)))
        measure(made, rows, options.rounds)
    tokens = sum(map(len, rows))
    wide = sum(len(batch) * max(map(len, batch)) for batch in batches_of(rows)) / tokens
    print(f"{options.count} texts, {len(rows)} windows, {tokens} tokens; {wide:.2f} with padding")
    print("microseconds of processor time a token")
    print(f"{'':48} {'batches':>8} {'alone':>8} {'away':>6} {'mean':>7} {'flags':>5}")
    for engine in made:
        batched, alone = (1e6 * statistics.median(times) / tokens for times in (engine.batched, engine.alone))
        kept = f"{engine.away:6.3f} {engine.mean:7.4f} {engine.flags:5}"
        print(f"{engine.name:48} {batched:8.1f} {alone:8.1f} {kept}")
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), "tokens": tokens, "packages": versions()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps(
            {
                **facts,
                "engines": [{k: v for k, v in vars(one).items() if k != "read"} for one in made],
            }
        )
    )
    print(f"raw figures: {options.out}")


def versions() -> dict[str, str]:
    """Return the versions of the packages that are there."""
    here = {found.metadata["Name"] for found in importlib.metadata.distributions()}
    return {name: importlib.metadata.version(name) for name in PACKAGES if name in here}


if __name__ == "__main__":
    main()
