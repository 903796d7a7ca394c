"""What the workers that live say of themselves, for those who run them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import redis
from pydantic import TypeAdapter, ValidationError

log = logging.getLogger(__name__)

PREFIX = "countersign:worker:"


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker. `name`: that after Celery's `-n`; two of one name are seen as one.

    `model`, `runtime`: the guard model's version and how it is computed, where it is loaded. `counts`: what became of
    texts since it was loaded (`workers.waiting.Counts`).
    """

    name: str
    queues: tuple[str, ...]
    model: str = ""
    runtime: str = ""
    counts: dict[str, int] = field(default_factory=dict)


_WORKER: TypeAdapter[Worker] = TypeAdapter(Worker)


def enter(pipe: Any, worker: Worker, *, seconds: int) -> None:
    """Have `pipe`, of a Redis client, keep what `worker` says for so many seconds."""
    pipe.set(f"{PREFIX}{worker.name}", _WORKER.dump_json(worker), ex=seconds)


def living_workers(connection: redis.Redis) -> list[Worker]:
    """Return all workers that said something lately, by name. Raises redis.RedisError."""
    # A scan may give a key twice.
    keys = sorted(set(connection.scan_iter(match=f"{PREFIX}*", count=1_000)))
    workers = []
    for said in connection.mget(keys) if keys else []:
        # Its time may have ended since the keys were read.
        if said is not None:
            try:
                workers.append(_WORKER.validate_json(said))
            except ValidationError:
                log.warning("a worker of another version said something that this one cannot read")
    return workers
