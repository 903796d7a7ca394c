"""The detector of personal data beside plain Presidio: time and findings, on the same texts.

    python -m bench.pii_engine --data ../shared/data/traffic_replay.jsonl.gz

Texts of 50, 500 and 2,000 tokens (words and single marks, as Presidio's context words count them): answers of language
models as they are, cut to length; the same without digits; with one piece of personal data; and dense with it. `plain`
is Presidio's AnalyzerEngine with the same recognizers, `stock` the same with Presidio's own recognizer of URLs (not
compared: it finds other URLs). All read each text in turn, and each text three times; a figure is the median over texts
of the fastest. Raw figures go to bench/results/pii_engine.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.app import ROOT
from bench.plain_presidio import Found, PlainPresidio
from screening.detectors.pii_prefilter import AVAILABLE
from screening.detectors.pii_scanner import Scanner
from screening.findings import Deadline

LENGTHS = (50, 500, 2_000)
KINDS = ("as it is", "no digits", "one item", "dense")
REPEATS = 3

_TOKEN = re.compile(r"\w+|[^\w\s]")
_ITEMS = (
    "my card is 4111 1111 1111 1111",
    "write to jane.roe@mail.acme.co.uk",
    "the account GB82 WEST 1234 5698 7654 32",
    "from 10.20.30.40 at 2024-02-29",
    "device 00:1B:44:11:3A:B7",
    "call +44 20 7946 0958",
    "call me at (212) 555-0187",
    "my ssn is 536-90-4399",
    "see https://acme.io:8443/a?b=1",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "driver license A1234567",
)


@dataclass
class Row:
    kind: str
    tokens: int
    texts: int
    plain_ms: float
    stock_ms: float
    ours_ms: float
    plain_total_ms: float
    ours_total_ms: float
    findings: int
    differing_texts: int

    @property
    def times(self) -> float:
        return self.plain_ms / self.ours_ms

    def __str__(self) -> str:
        return (
            f"{self.kind:10} {self.tokens:6,} {self.texts:5}"
            f"  {self.plain_ms:8.3f} {self.stock_ms:8.3f} {self.ours_ms:8.3f}"
            f"  {self.times:6.1f} {self.plain_total_ms / self.ours_total_ms:8.1f}"
            f"  {self.findings:8,} {self.differing_texts:9}"
        )


def answers(path: Path, seed: int) -> Iterator[str]:
    """Yield the responses of the file in an order that `seed` chooses, for ever."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["response"] for line in lines]
    source = random.Random(seed)
    while True:
        source.shuffle(texts)
        yield from texts


def cut(texts: Iterator[str], tokens: int) -> str:
    """Return `tokens` tokens of as many texts as that takes."""
    text = next(texts)
    while len(ends := [match.end() for match in _TOKEN.finditer(text)]) < tokens:
        text += "\n\n" + next(texts)
    return text[: ends[tokens - 1]]


def make(kind: str, texts: Iterator[str], tokens: int, source: random.Random) -> str:
    text = cut(texts, tokens)
    if kind == "as it is":
        return text
    text = re.sub(r"[^\W_]*\d\w*", "some", text)
    words = text.split(" ")
    items = {"no digits": 0, "one item": 1, "dense": max(tokens // 25, 2)}[kind]
    for _ in range(items):
        words.insert(source.randrange(len(words) + 1), source.choice(_ITEMS))
    return " ".join(words)


def measure(name: str, tokens: int, texts: list[str], readers: Mapping[str, Callable[[str], list[Found]]]) -> Row:
    seconds: dict[str, list[float]] = {reader: [] for reader in readers}
    found: dict[str, list[list[Found]]] = {reader: [] for reader in readers}
    for text in texts:
        best = dict.fromkeys(readers, float("inf"))
        for repeat in range(REPEATS):
            for reader, read in readers.items():
                begun = time.perf_counter()
                results = read(text)
                best[reader] = min(best[reader], time.perf_counter() - begun)
                if not repeat:
                    found[reader].append(results)
        for reader, fastest in best.items():
            seconds[reader].append(fastest * 1_000)
    return Row(
        kind=name,
        tokens=tokens,
        texts=len(texts),
        plain_ms=statistics.median(seconds["plain"]),
        stock_ms=statistics.median(seconds["stock"]),
        ours_ms=statistics.median(seconds["ours"]),
        plain_total_ms=sum(seconds["plain"]),
        ours_total_ms=sum(seconds["ours"]),
        findings=sum(map(len, found["plain"])),
        differing_texts=sum(one != other for one, other in zip(found["plain"], found["ours"], strict=True)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="texts of each kind and length")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    begun = time.perf_counter()
    scanner = Scanner("en")
    ready = time.perf_counter() - begun
    plain, stock = PlainPresidio("en"), PlainPresidio("en", own_urls=True)

    def ours(text: str) -> list[Found]:
        results = scanner.scan(text, Deadline())
        return sorted((each.entity_type, each.start, each.end, each.score) for each in results)

    readers = {"plain": plain.find, "stock": stock.find, "ours": ours}
    for read in readers.values():
        read("warm up 12345 a@acme.io")
    print(f"Hyperscan {'used' if AVAILABLE else 'not there'}, recognizers ready in {ready:.2f} s; ms a text, medians")
    print("kind       tokens texts     plain    stock     ours   times in sum   findings   differing")
    source, texts = random.Random(options.seed), answers(options.data, options.seed)
    rows = []
    for tokens in LENGTHS:
        for kind in KINDS:
            chosen = [make(kind, texts, tokens, source) for _ in range(options.count)]
            rows.append(measure(kind, tokens, chosen, readers))
            print(rows[-1], flush=True)
    result = ROOT / "bench" / "results" / "pii_engine.json"
    raw = {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "hyperscan": AVAILABLE,
        "ready_s": ready,
        "rows": [asdict(row) | {"times": row.times} for row in rows],
    }
    result.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
