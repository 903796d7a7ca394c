"""A rule that is answered by two queues is not passed on the word of one."""

from __future__ import annotations

import time
import uuid

from screening.engine import Job
from screening.findings import JobResult, RuleResult, Text
from screening.policy import parse_policy
from webapp.interception.screening import conclude_job
from workers.client import Screening

POLICY = parse_policy("""
name: names
rules:
  - {id: people, detector: pii, entities: {PERSON: redact}, on_error: block}
""")


def test_a_part_that_gave_nothing_leaves_the_rule_unscanned() -> None:
    now = time.time()
    job = Job(POLICY.canonical, (Text("output", "Ann"),), started=now, deadline=now + 1)
    screening = Screening({"cpu": JobResult(rules=(RuleResult("people"),))}, missing={"gpu": "no worker"})
    screened = conclude_job(job, uuid.uuid4(), screening)
    assert screened.conclusion.unscanned == (("people", "no worker"),)
    assert screened.conclusion.verdict == "block"
