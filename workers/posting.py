"""Celery messages for the screening workers, written here: one call to Redis takes those of all queues.

Celery's producer spends most of its time on what these messages have no use of. What is
written is message protocol 2 of Celery, in the envelope of kombu's transport for Redis, so that any Celery worker reads
it, acknowledges it and puts it back when it stops (docs/adr/0025-messages.md).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence

import redis
from pydantic_core import to_json

from workers.broker import QUEUES
from workers.messages import Batch, encode_batch

TASK = "screen.batch"


def post(connection: redis.Redis, batches: Sequence[Batch]) -> None:
    """Put batches into their queues. Raises redis.RedisError.

    A connection that broke while nobody used it is replaced, once. What was sent over it may then be there twice: a
    second reply finds no reader.
    """
    messages = [(QUEUES[batch.queue], celery_message(QUEUES[batch.queue], encode_batch(batch))) for batch in batches]
    try:
        _push(connection, messages)
    except redis.ConnectionError:
        _push(connection, messages)


def _push(connection: redis.Redis, messages: Sequence[tuple[str, bytes]]) -> None:
    pipe = connection.pipeline(transaction=False)
    for queue, message in messages:
        pipe.lpush(queue, message)
    pipe.execute()


def celery_message(queue: str, argument: str) -> bytes:
    """Return the message that calls TASK with `argument`, as it lies in a Redis list."""
    name = str(uuid.uuid4())
    envelope = {
        "body": base64.b64encode(to_json([[argument], {}, {}])).decode("ascii"),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": name, "root_id": name, "retries": 0, "ignore_result": True},
        "properties": {
            "correlation_id": name,
            "delivery_tag": str(uuid.uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
        },
    }
    return to_json(envelope)
