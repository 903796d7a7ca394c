"""Screen a batch: the one task of the screening queues."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import redis
from celery.concurrency import get_implementation, prefork
from celery.concurrency.thread import TaskPool
from celery.signals import celeryd_after_setup, celeryd_init, worker_process_init

from screening.engine import Engine, Job
from screening.findings import OUTPUT, JobResult, Queue, Text
from screening.packs import PACKS, read_pack
from screening.policy import parse_policy
from workers.alive import is_connected, keep_alive_keys
from workers.app import app
from workers.broker import QUEUES, SOCKET_TIMEOUT
from workers.loading import RETRY_MODEL_SECONDS, patient_loader
from workers.messages import REPLY, REPLY_SECONDS, Batch, Reply, decode_batch
from workers.roster import Worker
from workers.seldom import Seldom
from workers.served import ServedModels
from workers.settled import settle

log = logging.getLogger(__name__)

WARM_UP_SECONDS = 600.0
#: The name of Celery's worker, and the worker where it is in this process and not in the one that this was forked from.
_name = ""
_worker: Any = None


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return this process's engine. Made after any fork: torch and guardrails-ai do not survive one."""
    return Engine(patient_loader(), served_models())


@lru_cache(maxsize=1)
def served_models() -> ServedModels:
    return ServedModels()


@lru_cache(maxsize=1)
def connection() -> redis.Redis:
    return redis.Redis.from_url(app.conf.broker_url, socket_timeout=SOCKET_TIMEOUT, health_check_interval=10)


@app.task(name="screen.batch")
def screen_batch(message: str) -> None:
    """Screen the jobs of a `Batch` and push one `Reply`. Safe to run twice: a second reply finds no reader."""
    batch = decode_batch(message)
    results = _run(batch)
    reply = REPLY.dump_json(Reply(queue=batch.queue, ids=batch.ids, results=tuple(results)))
    pipe = connection().pipeline(transaction=False)
    pipe.rpush(batch.reply_to, reply)
    pipe.expire(batch.reply_to, REPLY_SECONDS)
    pipe.execute()


def _run(batch: Batch) -> list[JobResult]:
    waited = max(0.0, time.time() - batch.sent) * 1000
    return [replace(result, queue_ms=waited + result.queue_ms) for result in engine().run(batch.jobs, batch.queue)]


@celeryd_init.connect
def _take_name(sender: str, **_: Any) -> None:
    global _name
    _name = sender


@celeryd_after_setup.connect
def _start_threads(instance: Any, **_: Any) -> None:
    # The pool of threads sends no worker_process_init; its threads, which share the model's batches, start after this.
    # At `worker_init` there would be no logging yet.
    global _worker
    pool = get_implementation(instance.pool_cls)
    _worker = None if pool is prefork.TaskPool else instance
    if pool is TaskPool:
        _start()


@worker_process_init.connect
def _start(**_: Any) -> None:
    """Warm up, then say that this worker lives: web processes send nothing to a queue without one."""
    queues = tuple(app.amqp.queues.consume_from)
    engine()  # before there are threads that would each make one
    for queue in ("cpu", "gpu"):
        if QUEUES[queue] in queues:
            _warm_up(queue)
    settle()
    keep_alive_keys(connection(), lambda: _described(queues), _is_connected)


def _described(queues: tuple[str, ...]) -> Worker:
    model = engine().loaded_model
    if model is None:
        return Worker(_name, queues)
    # The fake model shares no batches.
    runtime, batcher = getattr(model, "runtime", None), getattr(model, "batcher", None)
    counts = asdict(batcher.counts) if batcher else {}
    return Worker(_name, queues, model.version, runtime.name if runtime else "", counts)


def _is_connected() -> bool:
    return _worker is None or is_connected(getattr(_worker, "consumer", None))


def _wait_for_model() -> None:
    """Return when the guard model is loaded.

    Until then this worker takes no checks and does not say that it lives: it would answer before those that read.
    """
    failed, pause = Seldom(), threading.Event()
    while True:
        try:
            engine().model.version  # noqa: B018 - loads it
            return
        except Exception as error:  # noqa: BLE001 - whatever its files or its device do, they may be mended
            if failed.due():
                log.error("this worker takes no checks until its guard model can be used: %s", type(error).__name__)
        pause.wait(RETRY_MODEL_SECONDS)


def _warm_up(queue: Queue) -> None:
    """Run every shipped policy once, so that the first check does not wait for imports and model files."""
    texts = (Text(OUTPUT, "warm up"), Text("messages.0", "warm up"))
    if queue == "gpu":
        _wait_for_model()
        served_models().prepare(WARM_UP_SECONDS)
    # Started in the future: the deadlines of the rules are for checks, not for imports.
    start = time.time() + WARM_UP_SECONDS
    jobs = [Job(parse_policy(read_pack(name)).canonical, texts, started=start, deadline=start) for name in PACKS]
    for result in engine().run(jobs, queue):
        for rule in result.rules:
            if rule.unscanned:
                log.error("warm-up: rule %s is unscanned: %s", rule.rule, rule.unscanned)
