"""Whether the memory of a worker stays flat.

    python -m bench.worker_memory --data ../shared/data/traffic_replay.jsonl.gz

Sends 100,000 texts, cut from the file at lengths from a word to the whole, to one worker that serves the guard model,
through Redis as the web does, and reads its memory 20 times on the way, and its processor time at the end: what it
allocated, and what would be free without it (its own pages of files on top, which the system takes back when it likes).
The first tenth is left out: until then allocators and caches grow to what the longest batches need. Raw figures go to
bench/results/. What is set in the environment wins: `MALLOC_MMAP_THRESHOLD_=131072 python -m ...`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from bench.app import ROOT
from bench.screeners import Memory, Screeners, screeners
from screening.engine import Job
from screening.findings import OUTPUT, Text
from screening.packs import read_pack
from screening.policy import parse_policy
from workers.client import ScreenClient

DEADLINE_SECONDS = 120.0
SHARE = 0.05


def texts(path: Path, seed: int) -> Iterator[str]:
    """Yield pieces of the file's responses without end: most a few words, one in 200 whole."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        whole = [json.loads(line)["response"] for line in lines]
    dice = random.Random(seed)
    while True:
        words = dice.choice(whole).split(" ")
        length = len(words) if dice.random() < 0.005 else min(len(words), 1 + int(dice.expovariate(0.2)))
        start = dice.randrange(len(words) - length + 1)
        yield " ".join(words[start : start + length])


def feed(workers: Screeners, path: Path, *, count: int, seed: int, callers: int = 4, batch: int = 32) -> list[Memory]:
    """Send `count` texts and return the memory after each twentieth part of them."""
    policy = parse_policy(read_pack("observe-only")).canonical
    client = ScreenClient(workers.redis_url)
    source = texts(path, seed)

    def send(some: list[str]) -> int:
        now = time.time()
        jobs = [Job(policy, (Text(OUTPUT, text),), now, now + DEADLINE_SECONDS, observe=True) for text in some]
        found = client.screen(jobs)
        return sum("gpu" in one.results and one.results["gpu"].scores is not None for one in found)

    sizes: list[Memory] = []
    with ThreadPoolExecutor(callers) as pool:
        for _ in range(20):
            parts = [list(islice(source, batch)) for _ in range(max(1, count // 20 // batch))]
            read = sum(pool.map(send, parts))
            if read != sum(map(len, parts)):
                raise SystemExit(f"only {read} of {sum(map(len, parts))} texts were read")
            sizes.append(workers.memory())
            done, now = len(sizes) * count // 20, sizes[-1]
            print(f"{done:8} texts  {now.own:7.1f} MB  {now.unshared:7.1f} MB with files", flush=True)
    client.close()
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "worker_memory.json")
    options = parser.parse_args()
    start = time.perf_counter()
    with screeners(1, lanes=options.lanes) as workers:
        before = workers.busy()
        sizes = feed(workers, options.data, count=options.count, seed=options.seed)
        busy = workers.busy() - before
    settled = [size.own for size in sizes[2:]]
    spread = max(abs(size / settled[0] - 1) for size in settled)
    seconds = time.perf_counter() - start
    print(f"{seconds:.0f} s, {busy:.1f} s of a processor")
    print(f"after the first tenth at most {spread:.1%} away from {settled[0]:.1f} MB (aim: {SHARE:.0%})")
    facts = {
        "machine": platform.platform(),
        "count": options.count,
        "seed": options.seed,
        "seconds": seconds,
        "processor": busy,
    }
    own, unshared = zip(*sizes, strict=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**facts, "own": own, "unshared": unshared, "spread": spread}, indent=1) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
