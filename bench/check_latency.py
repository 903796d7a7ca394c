"""What an application waits for a verdict, how many it gets, and where the time goes: before, now, and naive.

    python -m bench.check_latency --data ../shared/data/traffic_replay.jsonl.gz

In one run, one app after the other, each asked with 1, 8 and 32 clients on kept-alive connections: the app of an
earlier commit (`--before`), with the real guard model and with the faked one; this one likewise; and the naive app of
bench/naive, with the real models and with faked ones. With the real model, this app's policy is support-bot with names
asked for, so that it makes the checks that the naive one makes; the earlier commit knows no names. The load generator
shares the cores.

`overhead` is what the client waited less the time in detectors (the slower queue's `inference_ms`). `CPU ms` is the
processor time of the app's processes a check, by /proc; `per core` is what one core of them would do. Stages are those
of the `Server-Timing` header, as shares of what the clients waited: `auth` (key), `read` (JSON), `intake` (policy,
limit), `queue` and `inference` (of the slower queue), `transit` (the rest of the way to the workers and back), `store`,
`answer`, `rest` (HTTP, waiting for a thread, the client). Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import platform
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.app import ROOT, App, naming_app, own_app, revision, running_app
from bench.load import Answer, ask
from bench.naive_app import naive_app

CLIENTS = (1, 8, 32)
MOST = 50_000
STAGES = ("auth", "read", "intake", "store", "answer")
HEAD = "app             clients    p50      p95      p99 ms  overhead p50   checks/s  per core  CPU ms  outcomes"


@dataclass
class Level:
    app: str
    clients: int
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    overheads_ms: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    #: Processor milliseconds a check, by process.
    cpu_ms: dict[str, float] = field(default_factory=dict)
    #: Shares of all that the clients waited.
    stages: dict[str, float] = field(default_factory=dict)

    def row(self) -> str:
        done = len(self.latencies_ms)
        quantiles = "  ".join(f"{percentile(self.latencies_ms, q):8.1f}" for q in (50, 95, 99))
        outcomes = ", ".join(f"{name} {count}" for name, count in self.outcomes.most_common())
        cpu = sum(self.cpu_ms.values())
        per_core = 1000 / cpu if cpu else float("nan")
        overhead = f"{percentile(self.overheads_ms, 50):12.1f}" if self.overheads_ms else " " * 12
        rate = f"{done / self.seconds:9.1f}  {per_core:8.1f}  {cpu:6.2f}"
        return f"{self.app:15} {self.clients:5}  {quantiles}  {overhead}  {rate}  {outcomes}"

    def where(self) -> str:
        cpu = ", ".join(f"{name} {ms:.2f}" for name, ms in sorted(self.cpu_ms.items(), key=lambda item: -item[1]))
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.stages.items())
        return f"    CPU ms: {cpu}\n    time: {shares or 'not told'}"


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


def measure(app: App, name: str, clients: int, bodies: list[bytes], seconds: float) -> Level:
    """Ask for `seconds` with `clients` and return what came of it."""
    level = Level(name, clients)
    before = _cpu(app)
    answers = ask(app.url, app.api_key, bodies, clients=clients, seconds=seconds, most=MOST)
    # The last answers come a little after the end.
    level.seconds = max(seconds, sum(answer.seconds for answer in answers) / clients)
    spent = Counter(_cpu(app))
    spent.subtract(before)
    for answer in answers:
        _count(level, answer)
    level.cpu_ms = {process: 1000 * used / max(1, len(answers)) for process, used in spent.items()}
    level.stages = _shares([answer for answer in answers if answer.stages])
    return level


def _count(level: Level, answer: Answer) -> None:
    if answer.status != 200:
        level.outcomes[str(answer.status)] += 1
        return
    level.latencies_ms.append(answer.seconds * 1000)
    said: dict[str, Any] = json.loads(answer.body)
    if "timings" in said:
        level.overheads_ms.append(answer.seconds * 1000 - said["timings"]["inference_ms"])
        level.outcomes["unscanned" if said["unscanned"] else said["verdict"]] += 1


def _shares(answers: list[Answer]) -> dict[str, float]:
    spent: Counter[str] = Counter()
    waited = 0.0
    for answer in answers:
        timings = json.loads(answer.body)["timings"] if answer.status == 200 else None
        if timings is None:
            continue
        stages = {name: float(ms) for name, ms in (part.split(";dur=") for part in answer.stages.split(", "))}
        waited += answer.seconds * 1000
        spent["queue"] += timings["queue_ms"]
        spent["inference"] += timings["inference_ms"]
        spent["transit"] += stages["screen"] - timings["queue_ms"] - timings["inference_ms"]
        spent.update({name: stages.get(name, 0.0) for name in STAGES})
    if not waited:
        return {}
    shares = {name: spent[name] / waited for name in (*STAGES[:3], "queue", "inference", "transit", *STAGES[3:])}
    return {**shares, "rest": 1 - sum(shares.values())}


def _cpu(app: App) -> dict[str, float]:
    """Return the processor seconds of each process of an app, with its children, so far."""
    pids: dict[str, int] = json.loads((app.home / "run" / "pids.json").read_text())
    used = {}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
            used[name] = sum(one.user + one.system for one in times)
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400, help="different checks, asked by turns")
    parser.add_argument("--seconds", type=float, default=8.0, help="of asking at each level")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--before", default="f66b407", help='the commit to compare with; "" for none')
    parser.add_argument("--only", default="", help="apps whose names contain this")
    parser.add_argument("--running", action="store_true", help="ask the app of `make up`, as it is")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "check_latency.json")
    options = parser.parse_args()
    bodies = read_bodies(options.data, options.count, options.seed)
    size = sum(map(len, bodies)) / len(bodies)
    machine = platform.processor() or platform.machine()
    print(
        f"{machine}, {os.cpu_count()} cores; {len(bodies)} checks, {size:.0f} bytes each, {options.seconds} s a level"
    )
    print(HEAD)
    levels: list[Level] = []
    for name, app in _apps(options.running, options.before, options.only):
        with app as opened:
            measure(opened, name, 2, bodies, 2.0)  # warm caches and connections
            for clients in CLIENTS:
                levels.append(measure(opened, name, clients, bodies, options.seconds))
                print(f"{levels[-1].row()}\n{levels[-1].where()}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"cores": os.cpu_count(), "machine": platform.platform(), "before": options.before, "seed": options.seed}
    figures = [{**vars(level), "outcomes": dict(level.outcomes)} for level in levels]
    options.out.write_text(json.dumps({**facts, "levels": figures}))
    print(f"raw figures: {options.out}")


def _apps(running: bool, before: str, only: str) -> Iterator[tuple[str, contextlib.AbstractContextManager[App]]]:
    if running:
        home = Path(os.environ.get("COUNTERSIGN_HOME", ROOT / "var"))
        yield "as is", contextlib.nullcontext(running_app(home))
        return
    with revision(before) if before else contextlib.nullcontext(ROOT) as earlier:
        apps: list[tuple[str, Callable[[], contextlib.AbstractContextManager[App]]]] = []
        apps.append(("naive, real", naive_app))
        apps.append(("naive, faked", partial(naive_app, NAIVE_MODELS_FAKED="1")))
        if before:
            apps.append(("before, real", partial(own_app, earlier)))
            apps.append(("before, faked", partial(own_app, earlier, COUNTERSIGN_GUARD_MODEL="fake")))
        apps.append(("now, real", naming_app))
        apps.append(("now, faked", partial(own_app, COUNTERSIGN_GUARD_MODEL="fake")))
        for name, start in apps:
            if only in name:
                yield name, start()


if __name__ == "__main__":
    main()
