"""`manage.py workers`"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workers.roster import Worker, living_workers
from workers.services_file import NO_REDIS

HEADS = ("worker", "queues", "guard model", "computed", "texts", "late", "refused", "failed batches")
#: Seconds that Redis has to answer.
PATIENCE = 5.0


class Command(BaseCommand):
    help = "List the workers that live, with the guard model of each and what became of the texts that it was given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON list, with all counts.")

    def handle(self, *, json: bool, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(NO_REDIS)
        try:
            with redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
            ) as client:
                workers = living_workers(client)
        except ValueError:  # what it says may quote a password
            raise CommandError("REDIS_URL is no address of a Redis: redis://:password@host:port/0") from None
        except redis.RedisError as error:
            raise CommandError(f"Redis does not answer ({type(error).__name__}). Is REDIS_URL right?") from None
        self.stdout.write(_as_json(workers) if json else _as_table(workers))
        models = {(worker.model, worker.runtime) for worker in workers if worker.model}
        if len(models) > 1:
            self.stderr.write("The guard models, or their precisions, differ: which scores a check gets is chance.")


def _as_json(workers: Sequence[Worker]) -> str:
    return json.dumps([dataclasses.asdict(worker) for worker in workers], indent=2)


def _as_table(workers: Sequence[Worker]) -> str:
    if not workers:
        return "No worker says that it lives."
    rows = [HEADS, *map(_row, workers)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(worker: Worker) -> tuple[str, ...]:
    counts = [worker.counts.get(name) for name in ("texts", "dropped", "refused", "failed")]
    said = ("–" if count is None else f"{count:,}" for count in counts)
    return worker.name, ", ".join(worker.queues), worker.model or "–", worker.runtime or "–", *said
