"""One fused pass against one pipeline a check, and against what the processor could do.

    python -m bench.guard_engine --compare --data ../shared/data/traffic_replay.jsonl.gz

Measures, on the same texts and in turns, (a) three Hugging Face pipelines of the guard model's own architecture
(moderation, injection, named entities), text by text as a guardrail server runs them, with batches of 1 and of 32;
(b) our pass through the batcher with 1, 8 and 64 concurrent callers, and a lane for each thread that the pipelines
have; and (c) the floor: the operations of the tokens without padding, over the rate of matrix products measured in the
same run. There should be several times as many texts as callers: with fewer, batches are what is left of the last ones.
Pipelines with batches of 32, the slowest by far, read one batch of them. Also says how far the scores of the texts lie
from plain fp32. Pipelines truncate at 512 word pieces; ours reads all. Figures are medians of the rounds; raw ones go
to bench/results/.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    TextClassificationPipeline,
    TokenClassificationPipeline,
)

from bench.app import ROOT
from screening.categories import MODEL_CATEGORIES
from screening.findings import Prediction
from workers.model import DEFAULT_FOLDER
from workers.runtimes.choice import precision_of
from workers.runtimes.encoder import carrier_folder, load_tokenizer
from workers.runtimes.guard import EncoderGuard
from workers.runtimes.int8 import Int8Linear
from workers.runtimes.linear import fast_linear
from workers.runtimes.processor import computes_bf16
from workers.runtimes.ranges import Range
from workers.runtimes.shared import SharedGuard

CALLERS = (1, 8, 64)
PIPELINES = "3 pipelines, batch 1"
BATCHES = (1, 32)
WIDTH, INNER, LAYERS = 384, 1_536, 6


@dataclass(frozen=True)
class Size:
    """An encoder's: the width of its states, the inner width of its layers, and how many they are."""

    width: int = WIDTH
    inner: int = INNER
    layers: int = LAYERS


MINILM = Size()


@dataclass(frozen=True)
class Texts:
    """What is read: the texts, their word pieces and what the encoder's products of those are, without padding."""

    texts: list[str]
    windows: int
    tokens: int
    operations: float


@dataclass
class Way:
    """One way to read texts, and the seconds that each round took."""

    name: str
    run: Callable[[Sequence[str]], object]
    asked: Texts
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


def read_texts(path: Path, count: int, seed: int) -> Texts:
    """Return `count` prompts and responses of the file, chosen by `seed`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [text for row in rows for text in (row["prompt"], row["response"]) if text]
    return measured(random.Random(seed).sample(texts, count))


def measured(texts: list[str]) -> Texts:
    windows = [len(window.ids) for window in load_tokenizer().windows(texts, size=256, overlap=32)]
    return Texts(texts, len(windows), sum(windows), operations(windows))


def pipelines(device: str, batch: int) -> Callable[[Sequence[str]], object]:
    """Return what reads texts with three pipelines, one after the other, as separate guardrails do."""
    folder = carrier_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def config(labels: int) -> BertConfig:
        return BertConfig(
            vocab_size=30_522, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=12,
            intermediate_size=INNER, id2label={i: str(i) for i in range(labels)},
        )  # fmt: skip

    tokenizer.model_max_length = 512
    kinds = [
        (
            TextClassificationPipeline,
            BertForSequenceClassification(config(len(MODEL_CATEGORIES))),
            {"truncation": True},
        ),
        (TextClassificationPipeline, BertForSequenceClassification(config(2)), {"truncation": True}),
        # It truncates to model_max_length by itself.
        (TokenClassificationPipeline, BertForTokenClassification(config(11)), {}),
    ]
    ready = [(kind(model=model, tokenizer=tokenizer, device=device), more) for kind, model, more in kinds]

    def run(texts: Sequence[str]) -> object:
        if batch > 1:
            return [one(list(texts), batch_size=batch, **more) for one, more in ready]
        return [one(text, **more) for text in texts for one, more in ready]

    return run


def ours(guard: SharedGuard, callers: int) -> Callable[[Sequence[str]], object]:
    """Return what reads texts one by one with so many concurrent callers."""

    def run(texts: Sequence[str]) -> object:
        with ThreadPoolExecutor(callers) as pool:
            return list(pool.map(lambda text: guard.predict([text]), texts))

    return run


def away(guard: SharedGuard, texts: Sequence[str], model: Path) -> dict[str, float]:
    """Return how far scores lie from those of the plain fp32 pass, at most and in the mean, and the share of texts with
    the same spans."""
    plain = EncoderGuard(model, device="cpu").predict(texts)
    pairs = list(zip(guard.predict(texts), plain, strict=True))
    moved = [abs(got.scores[c] - expected.scores[c]) for got, expected in pairs for c in guard.categories]
    alike = [places(got) == places(expected) for got, expected in pairs]
    return {"most": max(moved), "mean": statistics.mean(moved), "spans": statistics.mean(alike)}


def places(found: Prediction) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in found.spans or ()]


def operations(lengths: Sequence[int], size: Size = MINILM) -> float:
    """Return the operations of the encoder's products for windows of `lengths`, without padding."""
    per_token = 2 * (4 * size.width * size.width + 2 * size.width * size.inner)
    return float(sum(size.layers * (per_token * n + 4 * n * n * size.width) for n in lengths))


def product_rate(
    linear: Callable[[torch.Tensor], object], x: torch.Tensor, inner: int = INNER, seconds: float = 0.5
) -> float:
    """Return operations a second of `linear`, which multiplies `x` by [its width, inner], the best of several tries."""
    best = 0.0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(5):
            linear(x)
        if x.is_cuda:
            torch.cuda.synchronize(x.device)
        best = max(best, 5 * 2 * x.numel() * inner / (time.perf_counter() - start))
    return best


@torch.inference_mode()
def rates(device: torch.device, size: Size = MINILM) -> dict[str, float]:
    """Return the rate of matrix products in each precision that the runtimes have."""
    rows = 65_536 if device.type == "cuda" else 1_024
    width, inner = size.width, size.inner
    x, weight, bias = (torch.randn(*shape, device=device) for shape in ((rows, width), (inner, width), (inner,)))
    found = {"fp32": product_rate(fast_linear(weight, bias), x, inner)}
    if computes_bf16(device):
        found["bf16"] = product_rate(fast_linear(weight.bfloat16(), bias.bfloat16()), x.bfloat16(), inner)
    if device.type == "cpu":
        eight = Int8Linear.over(weight, bias, Range(-torch.ones(width), torch.ones(width), torch.zeros(width)))
        whole = torch.randint(0, 255, (rows, width), dtype=torch.uint8)
        found["int8"] = product_rate(eight.product, whole, inner)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--compare", action="store_true", help="also run the pipelines")
    parser.add_argument("--count", type=int, default=256, help="texts a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", nargs="+", default=["auto"], help="of ours: auto, fp32, bf16, int8; or several")
    parser.add_argument("--model", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "guard_engine.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    asked = read_texts(options.data, options.count, options.seed)
    guards = [
        SharedGuard(options.model, device=options.device, precision=precision_of(p), lanes=options.threads)
        for p in options.precision
    ]
    device = guards[0].device
    ways = [
        Way(f"ours, {guard.runtime.name}, {callers} callers", ours(guard, callers), asked)
        for guard in guards
        for callers in CALLERS
    ]
    if options.compare:
        single, many = BATCHES
        ways.append(Way(PIPELINES, pipelines(str(device), single), asked))
        ways.append(Way(f"3 pipelines, batch {many}", pipelines(str(device), many), measured(asked.texts[:many])))
    print(f"{platform.processor() or platform.machine()}, {options.threads} threads, {device}, {guards[0].version}")
    size = (
        f"{len(asked.texts)} texts, {asked.windows} windows, {asked.tokens} tokens, {asked.operations / 1e9:.0f} GFLOP"
    )
    print(f"{size}; {options.rounds} rounds")
    kept = {guard.runtime.name: away(guard, asked.texts, options.model) for guard in guards}
    for name, one in kept.items():
        moved = f"scores {one['most']:.3f} away at most, {one['mean']:.5f} in the mean"
        print(f"{name}: {moved}; {one['spans']:.1%} of texts with the same spans")
    products = rates(device)
    facts = {
        "machine": platform.platform(), "threads": options.threads, "device": str(device), "model": guards[0].version,
        "rates": products, "away": kept,
    }  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for way in ways:
        way.run(way.asked.texts[:4])  # a warm-up
    for number in range(options.rounds):
        print(f"round {number + 1}", flush=True)
        for way in ways:
            one_round(way)
        figures = [figures_of(way) for way in ways]
        options.out.write_text(json.dumps({**facts, "ways": figures}, indent=1) + "\n")
        report(ways, products)
    for guard in guards:
        guard.close()
    print(f"raw figures: {options.out}")


def one_round(way: Way) -> None:
    """Read its texts once, and note what it took."""
    busy, start = time.process_time(), time.perf_counter()
    way.run(way.asked.texts)
    way.seconds.append(time.perf_counter() - start)
    way.busy.append(time.process_time() - busy)


def figures_of(way: Way) -> dict[str, object]:
    sizes = {"texts": len(way.asked.texts), "tokens": way.asked.tokens, "operations": way.asked.operations}
    return {"name": way.name, **sizes, "seconds": way.seconds, "processor_seconds": way.busy}


def report(ways: Sequence[Way], products: dict[str, float]) -> None:
    print(", ".join(f"{name} {rate / 1e9:.0f} G operations/s" for name, rate in products.items()))
    # Beside other load the time of the processor says more than that of the clock.
    print(f"{'':42} texts/s  tokens/s  x pipelines  by processor time  share of floor")
    base = next((way for way in ways if way.name == PIPELINES), None)
    for way in ways:
        seconds, busy, asked = statistics.median(way.seconds), statistics.median(way.busy), way.asked
        ratios = [0.0, 0.0]
        if base is not None:  # by tokens, of which not all ways read the same
            more = asked.tokens / base.asked.tokens
            ratios = [more * statistics.median(base.seconds) / seconds, more * statistics.median(base.busy) / busy]
        shares = ", ".join(f"{name} {asked.operations / rate / seconds:.0%}" for name, rate in products.items())
        figures = (
            f"{len(asked.texts) / seconds:7.1f}  {asked.tokens / seconds:8.0f}  {ratios[0]:11.1f}  {ratios[1]:17.1f}"
        )
        print(f"{way.name:42} {figures}  {shares}", flush=True)


if __name__ == "__main__":
    main()
