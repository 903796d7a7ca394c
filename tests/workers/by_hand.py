"""A worker that does what a test says, and jobs for it."""

from __future__ import annotations

import base64
import json
import time

import redis

from screening.engine import Job
from screening.findings import OUTPUT, JobResult, RuleResult, Text
from screening.policy import parse_policy
from workers.broker import QUEUES
from workers.messages import REPLY, Batch, Reply, alive_key, decode_batch

POLICY = parse_policy('{name: p, rules: [{id: secrets, detector: secrets, entities: {"*": block}}]}').canonical


class Worker:
    """Takes messages of the queue screen.cpu by hand, and answers each job with its text as the model's name."""

    def __init__(self, broker: redis.Redis) -> None:
        self.broker = broker
        broker.set(alive_key(QUEUES["cpu"]), "1")

    def take(self) -> tuple[Batch, str]:
        """Return the next message, waiting for it: as read, and as it travelled."""
        got = self.broker.brpop([QUEUES["cpu"]], timeout=10)
        assert got is not None, "no message came"
        (wire,), _, _ = json.loads(base64.b64decode(json.loads(got[1])["body"]))
        return decode_batch(wire), wire

    def answer(self, batch: Batch, ids: tuple[int, ...] | None = None) -> None:
        wanted = batch.ids if ids is None else ids
        jobs = dict(zip(batch.ids, batch.jobs, strict=True))
        results = tuple(JobResult((RuleResult("secrets"),), model=jobs[one].texts[0].text) for one in wanted)
        self.broker.rpush(batch.reply_to, REPLY.dump_json(Reply(batch.queue, wanted, results)))

    def waiting(self) -> int:
        return int(self.broker.llen(QUEUES["cpu"]))


def job(text: str, policy: str = POLICY, seconds: float = 60.0) -> Job:
    now = time.time()
    return Job(policy, (Text(OUTPUT, text),), started=now, deadline=now + seconds)
