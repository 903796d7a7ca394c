"""What an application waits for a verdict, and what of it is the path and not the detectors.

    python -m bench.check_latency --data ../shared/data/traffic_replay.jsonl.gz

Starts two apps one after the other, with the real guard model and with the faked one, and asks each with 1, 8 and 32
concurrent clients, every client on one kept-alive connection. `overhead` is what the client waited less the time in
detectors (the slower queue's `inference_ms`): HTTP, authentication, Redis, Celery, verdict, transaction. With
`--running` it asks the app of `make up` instead. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import os
import platform
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.app import ROOT, App, own_app, running_app

CLIENTS = (1, 8, 32)


@dataclass
class Level:
    model: str
    clients: int
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    overheads_ms: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def row(self) -> str:
        done = len(self.latencies_ms)
        quantiles = "  ".join(f"{percentile(self.latencies_ms, q):8.1f}" for q in (50, 95, 99))
        overhead = "  ".join(f"{percentile(self.overheads_ms, q):8.1f}" for q in (50, 95))
        outcomes = ", ".join(f"{name} {count}" for name, count in self.outcomes.most_common())
        return f"{self.model:6} {self.clients:3}  {quantiles}  {overhead}  {done / self.seconds:8.1f}  {outcomes}"


def percentile(values: list[float], q: float) -> float:
    """Return the q-th percentile of `values` (nearest rank); NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q / 100))] if ordered else float("nan")


def read_bodies(path: Path, count: int, seed: int) -> list[bytes]:
    """Return `count` requests made of the file's prompts and responses, chosen by `seed`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = random.Random(seed).sample(rows, min(count, len(rows)))
    return [
        json.dumps(
            {"output": row["response"], "messages": [{"role": "user", "content": row["prompt"]}], "deadline_ms": 30_000}
        ).encode()
        for row in chosen
    ]


def ask(app: App, bodies: Iterator[bytes], level: Level, lock: threading.Lock) -> None:
    address = urlsplit(app.url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
    headers = {"Authorization": f"Bearer {app.api_key}", "Content-Type": "application/json"}
    while True:
        with lock:
            body = next(bodies, None)
        if body is None:
            connection.close()
            return
        start = time.perf_counter()
        connection.request("POST", "/v1/checks", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        waited = (time.perf_counter() - start) * 1000
        with lock:
            if response.status == 200:
                level.latencies_ms.append(waited)
                level.overheads_ms.append(waited - answer["timings"]["inference_ms"])
                level.outcomes["unscanned" if answer["unscanned"] else answer["verdict"]] += 1
            else:
                level.outcomes[str(response.status)] += 1


def measure(app: App, model: str, clients: int, bodies: list[bytes]) -> Level:
    level, lock, waiting = Level(model, clients), threading.Lock(), iter(bodies)
    threads = [threading.Thread(target=ask, args=(app, waiting, level, lock)) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    level.seconds = time.perf_counter() - start
    return level


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400, help="checks at each level")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--running", action="store_true", help="ask the app of `make up`, as it is")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "check_latency.json")
    options = parser.parse_args()
    bodies = read_bodies(options.data, options.count, options.seed)
    size = sum(map(len, bodies)) / len(bodies)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores; {len(bodies)} checks a level, {size:.0f} bytes each")
    print("model  clients    p50      p95      p99 ms   overhead p50   p95 ms  checks/s  outcomes")
    levels: list[Level] = []
    for model, app in _apps(options.running):
        with app as opened:
            measure(opened, model, 2, bodies[:50])  # warm caches and connections
            for clients in CLIENTS:
                levels.append(measure(opened, model, clients, bodies))
                print(levels[-1].row(), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"cores": os.cpu_count(), "machine": platform.platform(), "count": len(bodies), "seed": options.seed}
    figures = [{**vars(level), "outcomes": dict(level.outcomes)} for level in levels]
    options.out.write_text(json.dumps({**facts, "levels": figures}))
    print(f"raw figures: {options.out}")


def _apps(running: bool) -> list[tuple[str, contextlib.AbstractContextManager[App]]]:
    if running:
        home = Path(os.environ.get("COUNTERSIGN_HOME", ROOT / "var"))
        return [("as is", contextlib.nullcontext(running_app(home)))]
    return [("real", own_app()), ("faked", own_app(COUNTERSIGN_GUARD_MODEL="fake"))]


if __name__ == "__main__":
    main()
