"""What the runtime makes of an encoder of BERT-base's size: its share of the rate of matrix products.

    python -m bench.large_encoder --data ../shared/data/traffic_replay.jsonl.gz

Twelve layers of width 768 with random weights, which cost what trained ones cost, and no heads but a mean. The windows
of the texts pass in full batches, neighbours in length together, in the precision that is asked for or each that the
device has. The share is the operations of the tokens without padding, over the time and over the rate of products of
the layers' own shape, measured in the same run. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch

from bench.app import ROOT
from bench.guard_engine import Size, operations, rates, read_texts
from bench.runtimes import windows_of
from feedback.training.ranges import measure
from workers.runtimes.bert import Bert
from workers.runtimes.net import GuardNet, StateHeads
from workers.runtimes.packed import PackedRuntime
from workers.runtimes.processor import Precision
from workers.runtimes.tuples import Outputs
from workers.runtimes.windows import batches

BASE = Size(width=768, inner=3_072, layers=12)
HEADS, WINDOW = 12, 256
#: Windows with which the ranges for int8 are measured.
RANGES_OF = 16


class Mean(StateHeads):
    """Answers with the mean of the last states, so that every layer is needed."""

    def __init__(self) -> None:
        super().__init__([BASE.layers])
        self.width = BASE.width

    def forward(self, states: list[torch.Tensor], parts: list[torch.Tensor]) -> Outputs:
        return Outputs(parts[0][:, : self.width])


def runtime_of(precision: Precision, device: torch.device, rows: Sequence[np.ndarray]) -> PackedRuntime:
    torch.manual_seed(7)
    encoder = Bert(width=BASE.width, layers=BASE.layers, heads=HEADS, inner=BASE.inner)
    net = GuardNet(encoder, Mean())
    if precision == "int8":
        net.ranges = measure(net, [row.tolist() for row in rows[:RANGES_OF]])
    runtime = PackedRuntime(net, device=device, precision=precision)
    runtime.warm_up(WINDOW)
    return runtime


def seconds_of(runtime: PackedRuntime, rows: Sequence[np.ndarray]) -> float:
    """Return how long all windows take; a batch is launched before the last one is collected where that is possible."""
    start = time.perf_counter()
    collect = None
    for batch in batches([len(row) for row in rows], budget=runtime.budget):
        started = runtime.launch([rows[i] for i in batch])
        if collect is not None:
            collect()
        collect = started
    if collect is not None:
        collect()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=256, help="texts; on a GPU take thousands, or batches stay small")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", nargs="+", help="default: all of the device")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "large_encoder.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    rows = windows_of(read_texts(options.data, options.count, options.seed).texts)
    tokens, needed = sum(map(len, rows)), operations([len(row) for row in rows], BASE)
    products = rates(device, BASE)
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), "device": str(device), "threads": options.threads}
    figures: dict[str, list[float]] = {}
    print(
        f"{len(rows)} windows, {tokens} tokens, {needed / 1e12:.2f} T operations, {device}, {options.threads} threads"
    )
    print(", ".join(f"{name} {rate / 1e12:.2f} T operations/s" for name, rate in products.items()))
    for precision in cast(list[Precision], options.precision or [*products]):
        runtime = runtime_of(precision, device, rows)
        figures[precision] = [seconds_of(runtime, rows) for _ in range(options.rounds)]
        seconds = statistics.median(figures[precision])
        share = needed / seconds / products[precision]
        print(f"{precision}: {tokens / seconds:,.0f} tokens/s, {share:.0%} of its rate of products", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sizes = {"tokens": tokens, "operations": needed, "rates": products, "seconds": figures}
    options.out.write_text(json.dumps({**facts, **sizes}, indent=1) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
