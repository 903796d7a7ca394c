"""Many reviewers at one queue with a million waiting items: claims, heartbeats, answers.

    python -m bench.review_console

Starts an app of its own with the faked model, puts `--items` copies of a held check into its queue, and lets first one
reviewer and then `--reviewers` work for `--seconds`: claim, show, heartbeat, submit, each a transaction of the services
that the console's pages call, on a connection each. A reviewer thinks for `--think` seconds in the mean; one answer in
ten is submitted twice. The app's own sweeps run meanwhile. It counts slots that two people held, answers that are not
stored or stored twice, and items decided twice, and reads the plans of every statement for scans of whole tables.
Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.app import ROOT, own_app, use
from bench.check_latency import percentile
from bench.review_items import fill

PROCESSES = 2
TWICE = 0.1
#: Tables that grow with the items: no statement may read one of them whole.
LARGE = frozenset(
    {"review_reviewitem", "review_assignment", "review_itemtrigger", "interception_check", "interception_checkcontent"}
)


STEPS = ("claim", "show", "heartbeat", "submit")
COUNTS = ("claimed", "double_claims", "answered", "lost", "decided_twice")


@dataclass
class Work:
    """What one process's reviewers did. `claimed`: reviewer and slot; `answered`: idempotency keys."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STEPS})
    claimed: list[tuple[str, str]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def work(home: str, names: list[str], seconds: float, think: float, seed: int) -> Work:
    """Let the reviewers `names` work, each in a thread, and return what they did."""
    use(home)
    done, lock = Work(), threading.Lock()
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_review, args=(name, end, think, random.Random(f"{seed} {name}"), done, lock))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def _review(name: str, end: float, think: float, dice: random.Random, done: Work, lock: threading.Lock) -> None:
    from django.db import connection

    from review.models import Queue
    from review.services import Answer, claim_items, heartbeat, show, submit_annotation
    from webapp.accounts.models import Membership

    member = Membership.objects.select_related("user", "project").get(user__username=name)
    queue = Queue.objects.filter(project=member.project).get()

    def timed(step: str, run: Callable[..., Any], **arguments: Any) -> Any:
        start = time.perf_counter()
        found = run(**arguments)
        spent = (time.perf_counter() - start) * 1000
        with lock:
            done.milliseconds[step].append(spent)
        return found

    try:
        while time.monotonic() < end:
            slots = timed("claim", claim_items, queue=queue, membership=member)
            slot, key = slots[0], uuid.uuid4()
            lease = {"slot": slot, "lease_token": slot.lease_token}
            with lock:
                done.claimed += [(name, str(one.id)) for one in slots]
            timed("show", show, user=member.user, **lease)
            time.sleep(min(dice.expovariate(1 / think) if think else 0.0, max(0.0, end - time.monotonic())))
            timed("heartbeat", heartbeat, user=member.user, **lease)
            answer = Answer(outcome=dice.choice(("release", "block")), active_ms=int(think * 1000))
            for _ in range(1 + (dice.random() < TWICE)):
                found = timed(
                    "submit",
                    submit_annotation,
                    membership=member,
                    item_version=slot.item.version,
                    idempotency_key=key,
                    answer=answer,
                    **lease,
                )
            with lock:
                done.answered.append(str(key))
                done.refused[found.message or "counted"] += 1
    finally:
        connection.close()


def _level(home: str, names: list[str], seconds: float, think: float, seed: int) -> dict[str, Any]:
    shares = [share for share in (names[place::PROCESSES] for place in range(PROCESSES)) if share]
    with ProcessPoolExecutor(len(shares), mp_context=get_context("spawn")) as pool:
        each = list(pool.map(work, *zip(*((home, share, seconds, think, seed) for share in shares), strict=True)))
    steps = {step: [ms for one in each for ms in one.milliseconds[step]] for step in STEPS}
    claimed = [pair for one in each for pair in one.claimed]
    answered = [key for one in each for key in one.answered]
    outcomes = sum((one.refused for one in each), Counter[str]())
    return {"reviewers": len(names), "milliseconds": steps, **_checked(claimed, answered), "outcomes": dict(outcomes)}


def _checked(claimed: list[tuple[str, str]], answered: list[str]) -> dict[str, int]:
    """Compare what reviewers saw with what is stored."""
    from django.db.models import Count

    from review.models import Annotation, Decision

    # Leases are longer than a level, so that one slot with two reviewers is always one too many.
    holders = Counter(slot for _, slot in set(claimed))
    stored = set(map(str, Annotation.objects.values_list("idempotency_key", flat=True)))
    items = Decision.objects.values("item", "cycle").annotate(n=Count("id"))
    return {
        "claimed": len(holders),
        "double_claims": sum(count > 1 for count in holders.values()),
        "answered": len(answered),
        "lost": sum(key not in stored for key in answered),
        "decided_twice": items.filter(n__gt=1).count(),
    }


def _plans(name: str) -> dict[str, list[str]]:
    """Return the large tables that the statements of one claim, show, heartbeat and submit read whole, by statement."""
    from django.db import connection

    seen: list[tuple[str, Any]] = []

    def note(execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append((statement, parameters))
        return execute(statement, parameters, many, context)

    with connection.execute_wrapper(note):
        _review(name, time.monotonic() + 1.0, 0.0, random.Random(1), Work(), threading.Lock())
    whole: dict[str, list[str]] = {}
    for statement, parameters in seen:
        if statement.lstrip().split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                (plan,) = cursor.fetchone() or ([],)
            whole[statement] = sorted(scanned(plan[0]["Plan"]) & LARGE)
    return whole


def scanned(plan: dict[str, Any]) -> set[str]:
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(scanned(part) for part in plan.get("Plans", [])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds that a reviewer looks at an item")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "review_console.json")
    options = parser.parse_args()
    with own_app(COUNTERSIGN_GUARD_MODEL="fake") as app:
        start = time.perf_counter()
        fill(app, options.items)
        print(f"{options.items:,} items wait, after {time.perf_counter() - start:.0f} s")
        use(str(app.home))
        names = _make_reviewers(options.reviewers)
        whole = _plans(names[0])
        read_whole = {statement: tables for statement, tables in whole.items() if tables}
        print(f"{len(whole)} statements explained, {len(read_whole)} of them read a large table whole")
        for statement, tables in read_whole.items():
            print(f"  {', '.join(tables)}: {statement[:200]}")
        levels = []
        for count, seconds in ((1, min(30.0, options.seconds)), (options.reviewers, options.seconds)):
            think = options.think if count > 1 else 0.0
            levels.append({"think": think, **_level(str(app.home), names[:count], seconds, think, options.seed)})
            print(_row(levels[-1], seconds), flush=True)
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), **vars(options), "out": str(options.out.name)}
    options.out.write_text(json.dumps({**facts, "read_whole": read_whole, "levels": levels}))
    print(f"raw figures: {options.out}")


def _make_reviewers(count: int) -> list[str]:
    from webapp.accounts.models import Project, Role, User
    from webapp.accounts.services import add_member

    project = Project.objects.get(slug="demo")
    names = [f"bench-{number}" for number in range(count)]
    for name in names:
        add_member(project=project, user=User.objects.create_user(username=name), role=Role.REVIEWER)
    return names


def _row(level: dict[str, Any], seconds: float) -> str:
    times = "; ".join(
        f"{step} p50 {percentile(ms, 50):.1f} p95 {percentile(ms, 95):.1f} p99 {percentile(ms, 99):.1f} ms"
        for step, ms in level["milliseconds"].items()
    )
    counts = ", ".join(
        f"{name} {level[name]}" for name in ("claimed", "double_claims", "answered", "lost", "decided_twice")
    )
    return f"{level['reviewers']} reviewers, {seconds:.0f} s: {times}\n  {counts}; {level['outcomes']}"


if __name__ == "__main__":
    main()
