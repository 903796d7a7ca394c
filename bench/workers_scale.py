"""What more workers bring, and what happens when too much comes.

    python -m bench.workers_scale --data ../shared/data/traffic_replay.jsonl.gz

Runs 1, 2 and 4 workers that serve the guard model, one batcher and one lane each, over one Redis, and asks them through
the client that web processes use: first with 64 callers that each wait for their answer, which gives the capacity; then
for --overload seconds with twice that rate whatever comes back, each check with a deadline of --deadline seconds; then
with a burst of 2,000 checks at once. Refused means Overloaded, which the API answers with 503 and Retry-After;
unscanned means that the deadline passed. Nothing may be lost: every check has exactly one of the three outcomes. Raw
figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from bench.app import ROOT
from bench.check_latency import percentile
from bench.screeners import screeners
from screening.engine import Job
from screening.findings import OUTPUT, Text
from screening.policy import parse_policy
from workers.client import Call, Overloaded, ScreenClient, Screening

COUNTS = (1, 2, 4)
CALLERS = 64
BURST = 2_000
#: Only rules of the guard model: the exact rules have workers of their own.
POLICY = parse_policy("""
name: scale
rules:
  - {id: moderation, detector: moderation, on: [output], categories: {hate: {hold: 0.5}}}
""")


@dataclass
class Level:
    """What came of some checks; times of those accepted in milliseconds, and how much of it was waiting."""

    workers: int
    kind: str
    seconds: float = 0.0
    busy: float = 0.0
    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    waits_ms: list[float] = field(default_factory=list)
    queue_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.outcomes["read"] / self.seconds

    def note(self, found: Screening, waited_ms: float) -> None:
        """Count one check that was accepted."""
        result = found.results.get("gpu")
        read = result is not None and all(not rule.unscanned for rule in result.rules)
        self.waits_ms.append(waited_ms)
        self.outcomes["read" if read else "unscanned"] += 1
        if result is not None:
            self.queue_ms.append(result.queue_ms)

    def row(self) -> str:
        times = "  ".join(f"{percentile(self.waits_ms, q):8.0f}" for q in (50, 99))
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))
        used = self.busy / self.seconds
        return f"{self.workers:7}  {self.kind:8}  {self.rate:7.1f}  {times}  {used:5.2f}  {kinds} of {self.sent}"


def ask(client: ScreenClient, text: str, seconds: float, level: Level, lock: threading.Lock) -> None:
    """Have one text screened and note what came of it."""
    start = time.perf_counter()
    try:
        (found,) = client.screen([job_of(text, seconds)])
    except Overloaded:
        with lock:
            level.outcomes["refused"] += 1
        return
    with lock:
        level.note(found, (time.perf_counter() - start) * 1000)


def job_of(text: str, seconds: float) -> Job:
    now = time.time()
    return Job(POLICY.canonical, (Text(OUTPUT, text),), now, now + seconds)


def capacity(client: ScreenClient, texts: Sequence[str], workers: int) -> Level:
    """Read `texts` with CALLERS callers, each waiting for its answer before it asks again."""
    level, lock = Level(workers, "capacity", sent=len(texts)), threading.Lock()
    start = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda text: ask(client, text, 300.0, level, lock), texts))
    level.seconds = time.perf_counter() - start
    return level


def overload(
    client: ScreenClient, texts: Sequence[str], workers: int, *, rate: float, seconds: float, deadline: float
) -> Level:
    """Send `rate` checks a second for so long, whatever comes back."""
    count = int(rate * seconds)
    level, lock = Level(workers, "2x", sent=count), threading.Lock()
    start = time.perf_counter()
    asking: list[threading.Thread] = []
    for number in range(count):
        # Open loop: the next one comes at its time, not when an earlier one is answered.
        time.sleep(max(0.0, start + number / rate - time.perf_counter()))
        text = texts[number % len(texts)]
        asking.append(threading.Thread(target=ask, args=(client, text, deadline, level, lock)))
        asking[-1].start()
    level.seconds = time.perf_counter() - start
    for thread in asking:
        thread.join()
    level.outcomes["lost"] = count - sum(level.outcomes.values())
    return level


def burst(client: ScreenClient, texts: Sequence[str], workers: int, *, deadline: float) -> Level:
    """Send BURST checks as fast as the client takes them, and collect what came by their deadlines."""
    level, start = Level(workers, "burst", sent=BURST), time.perf_counter()
    calls: list[tuple[Call, float, threading.Event]] = []
    for number in range(BURST):
        answered = threading.Event()
        try:
            call = client.start([job_of(texts[number % len(texts)], deadline)], partial(_note, answered))
        except Overloaded:
            level.outcomes["refused"] += 1
        else:
            calls.append((call, time.perf_counter(), answered))
    for call, sent, answered in calls:
        answered.wait(max(0.0, call.due - time.time()))
        (found,) = client.finish(call)
        level.note(found, (time.perf_counter() - sent) * 1000)
    level.seconds = time.perf_counter() - start
    level.outcomes["lost"] = BURST - sum(level.outcomes.values())
    return level


def _note(answered: threading.Event, _: Call) -> None:
    answered.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=600, help="texts to find the capacity with")
    parser.add_argument("--overload", type=float, default=20.0, help="seconds at twice the capacity")
    parser.add_argument("--deadline", type=float, default=2.0, help="seconds, of each check under overload")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "workers_scale.json")
    options = parser.parse_args()
    with gzip.open(options.data, "rt", encoding="utf-8") as lines:
        responses = [json.loads(line)["response"] for line in lines]
    texts = random.Random(options.seed).sample(responses, options.count)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; {len(texts)} responses")
    print("workers  load      read/s   p50 ms   p99 ms  cores  outcomes")
    levels: list[Level] = []
    for count in COUNTS:
        with screeners(count) as running:
            client = ScreenClient(running.redis_url)
            capacity(client, texts[:CALLERS], count)  # warm
            for kind in ("capacity", "2x", "burst"):
                busy = running.busy()
                if kind == "capacity":
                    level = capacity(client, texts, count)
                    rate = 2 * level.rate
                elif kind == "2x":
                    limits = {"seconds": options.overload, "deadline": options.deadline}
                    level = overload(client, texts, count, rate=rate, **limits)
                else:
                    level = burst(client, texts, count, deadline=options.deadline)
                level.busy = running.busy() - busy
                levels.append(level)
                print(level.row(), flush=True)
            client.close()
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), "deadline": options.deadline}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figures = [{**asdict(level), "outcomes": dict(level.outcomes)} for level in levels]
    options.out.write_text(json.dumps({**facts, "seed": options.seed, "levels": figures}) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
