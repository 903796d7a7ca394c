"""What it costs to put a raised item together with its near-duplicates.

    python -m bench.clusters

Starts an app of its own with the faked model and `--waiting` items in its queue, gives the index the keys of as many
exemplars, and lets one process group `--items` items of `--length` code points, half of them near-duplicates of others.
The app's own sweep waits meanwhile. Prints milliseconds for each item, and the plan of the look-up. Raw figures go to
bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from pathlib import Path
from typing import Any

from bench.app import ROOT, own_app, use
from bench.check_latency import percentile
from bench.review_items import fill

#: Twelve keys an exemplar, as `review.near` makes them, of exemplars that no text is like.
KEYS = """
INSERT INTO review_clusterband (queue_id, key, exemplar_id)
SELECT item.queue_id, (random() * 9e18)::bigint, item.id FROM review_reviewitem item, generate_series(1, 12)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--length", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "clusters.json")
    options = parser.parse_args()
    with own_app(COUNTERSIGN_GUARD_MODEL="fake") as app:
        fill(app, options.waiting)
        use(str(app.home))
        _prepare(options.items, options.length, random.Random(options.seed))
        figures = _measure(options.items)
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), **vars(options), "out": options.out.name}
    options.out.write_text(json.dumps({**facts, **figures}))
    each = figures["milliseconds"]
    print(f"{options.items} items of {options.length} code points among {options.waiting:,} exemplars")
    print(
        f"for each item p50 {percentile(each, 50):.1f}, p95 {percentile(each, 95):.1f} ms (means of chunks), of which"
    )
    print(f"p50 {percentile(figures['cpu'], 50):.1f} ms of this process's CPU, the rest PostgreSQL's and waiting")
    print(f"joined {figures['joined']}; tables read whole: {figures['read_whole']}")


def _prepare(items: int, length: int, dice: random.Random) -> None:
    """Fill the index, keep the app's sweep out, and let `items` items have texts and no cluster yet."""
    from django.db import connection

    from review.models import ReviewItem
    from webapp.interception.models import CheckContent

    words = ["".join(dice.choices("abcdefghijklmnoprstuvwy", k=dice.randint(2, 10))) for _ in range(5000)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('review.grouping', 0))")
        cursor.execute(KEYS)
        cursor.execute("ANALYZE review_clusterband")
    chosen = list(ReviewItem.objects.order_by("id")[:items])
    for number, item in enumerate(chosen):
        if number % 2 == 0:
            text = " ".join(dice.choices(words, k=length))[:length]
        else:
            text = text.replace(text[:20], "another beginning of", 1)
        CheckContent.objects.filter(checked=item.checked_id).update(output=text)
    ReviewItem.objects.filter(id__in=[item.id for item in chosen]).update(cluster=None)


def _measure(items: int) -> dict[str, Any]:
    from django.db import connection
    from django.db.models import F

    from bench.review_console import LARGE, scanned
    from review.models import ReviewItem
    from review.services import grouping

    milliseconds, cpu = [], []
    for _ in range(items // grouping.CHUNK):
        start, busy = time.perf_counter(), time.process_time()
        done = grouping.group_items(most=grouping.CHUNK)
        milliseconds.append((time.perf_counter() - start) * 1000 / max(done, 1))
        cpu.append((time.process_time() - busy) * 1000 / max(done, 1))
    queue = ReviewItem.objects.values_list("queue", flat=True)[0]
    wanted: dict[str, Any] = {
        "keys": list(range(12)),
        "queue": queue,
        "newest": grouping.NEWEST_OF_A_BAND,
        "compared": 8,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {grouping.CANDIDATES}", wanted)
        (plan,) = cursor.fetchone()
    read_whole = sorted(scanned(plan[0]["Plan"]) & (LARGE | {"review_clusterband"}))
    joined = ReviewItem.objects.filter(clustered_at__isnull=False).exclude(cluster=F("id")).count()
    return {"milliseconds": milliseconds, "cpu": cpu, "joined": joined, "read_whole": read_whole, "plan": plan}


if __name__ == "__main__":
    main()
