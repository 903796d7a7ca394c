"""A rule that is answered by two queues: not passed on the word of one, and each part attached when it comes late."""

from __future__ import annotations

import time
import uuid

import pytest

from review.models import ItemTrigger, ReviewItem
from screening.engine import Job, wait_until
from screening.findings import OUTPUT, Finding, JobResult, Queue, RuleResult, Text
from screening.policy import parse_policy
from tests.factories import make_cast, make_check
from webapp.audit.models import AuditEvent
from webapp.interception.late import attach_late_results
from webapp.interception.models import Check
from webapp.interception.screening import Screened, conclude_job
from workers.client import Screening

POLICY = parse_policy("""
name: names
rules:
  - {id: people, detector: pii, entities: {PERSON: redact, EMAIL_ADDRESS: redact}, on_error: block}
""")
KEY = "countersign:replies:web#1"


def screened(results: dict[Queue, JobResult], missing: dict[Queue, str], reply_key: str = KEY) -> Screened:
    now = time.time()
    job = Job(POLICY.canonical, (Text(OUTPUT, "Ann, a@b.example"),), started=now, deadline=now + 1)
    return conclude_job(job, uuid.uuid4(), Screening(results, missing=missing, reply_key=reply_key))


def part(category: str, start: int, end: int) -> JobResult:
    found = Finding("people", "pii", category, 0.9, None, "redact", OUTPUT, start, end, "", "")
    return JobResult((RuleResult("people", (found,)),))


MODEL, PATTERNS = part("PERSON", 0, 3), part("EMAIL_ADDRESS", 5, 16)


def test_a_part_that_gave_nothing_leaves_the_rule_unscanned() -> None:
    one = screened({"cpu": JobResult(rules=(RuleResult("people"),))}, {"gpu": "no worker"})
    assert one.conclusion.unscanned == (("people", "no worker"),)
    assert one.conclusion.verdict == "block"


def test_a_rule_with_nothing_to_read_waits_for_nobody() -> None:
    document = """
name: halves
rules:
  - {id: asked, detector: prompt_injection, on: [input], categories: {prompt_injection: {hold: 0.5}}, on_error: block}
  - {id: said, detector: pii, on: [output], entities: {EMAIL_ADDRESS: redact}, on_error: block}
"""
    now, nobody = time.time(), Screening({}, missing={"cpu": "no worker", "gpu": "no worker"}, reply_key=KEY)
    for target, needed, unscanned in ((OUTPUT, "cpu", "said"), ("messages.0", "gpu", "asked")):
        job = Job(parse_policy(document).canonical, (Text(target, "a@b.example"),), started=now, deadline=now + 1)
        assert set(wait_until(job)) == {needed}
        one = conclude_job(job, uuid.uuid4(), nobody)
        assert one.conclusion.unscanned == ((unscanned, "no worker"),)
        assert one.awaited == {unscanned: [needed]}


def test_what_is_awaited_is_what_was_sent_and_gave_nothing() -> None:
    assert screened({}, {"cpu": "deadline", "gpu": "deadline"}).awaited == {"people": ["cpu", "gpu"]}
    assert screened({"cpu": PATTERNS}, {"gpu": "deadline"}).awaited == {"people": ["gpu"]}
    assert screened({"cpu": PATTERNS, "gpu": MODEL}, {}).awaited == {}
    assert screened({"cpu": PATTERNS, "gpu": JobResult(())}, {}).awaited == {}
    assert screened({}, {"cpu": "no worker", "gpu": "no worker"}, reply_key="").awaited == {}


@pytest.fixture
def released(db: None) -> Check:
    """Return a check that was released before either part of its rule was there."""
    check = make_check(make_cast(), verdict="allow", review="")
    check.unscanned = [{"rule": "people", "reason": "deadline", "awaits": ["cpu", "gpu"]}]
    check.reply_key = KEY
    check.save()
    return check


def found_late(check: Check) -> list[str]:
    return list(check.findings.filter(late=True).order_by("start").values_list("category", flat=True))


def test_each_part_is_attached_when_it_comes_and_once(released: Check) -> None:
    assert attach_late_results(released.id, {"cpu": PATTERNS})
    released.refresh_from_db()
    assert released.unscanned == [{"rule": "people", "reason": "deadline", "awaits": ["gpu"], "late": True}]
    assert released.reply_key == KEY
    # What was kept of the first part is still there when the second comes.
    assert not attach_late_results(released.id, {"cpu": PATTERNS})
    assert attach_late_results(released.id, {"cpu": PATTERNS, "gpu": MODEL})
    assert not attach_late_results(released.id, {"cpu": PATTERNS, "gpu": MODEL})
    released.refresh_from_db()
    assert released.unscanned == [{"rule": "people", "reason": "deadline", "late": True}]
    assert released.reply_key == ""
    assert found_late(released) == ["PERSON", "EMAIL_ADDRESS"]
    assert AuditEvent.objects.filter(type="check.late_result").count() == 2
    assert list(ItemTrigger.objects.values_list("item__checked", "kind")) == [(released.id, "late")] * 2
    assert ReviewItem.objects.count() == 1


def test_a_part_that_failed_takes_nothing_from_the_other_one(released: Check) -> None:
    failed = JobResult((RuleResult("people", unscanned="deadline"),))
    assert attach_late_results(released.id, {"cpu": PATTERNS, "gpu": failed})
    released.refresh_from_db()
    assert released.reply_key == ""
    assert found_late(released) == ["EMAIL_ADDRESS"]


def test_a_part_that_was_there_in_time_is_not_attached_again(released: Check) -> None:
    Check.objects.update(unscanned=[{"rule": "people", "reason": "deadline", "awaits": ["gpu"]}])
    assert not attach_late_results(released.id, {"cpu": PATTERNS})
    assert attach_late_results(released.id, {"cpu": PATTERNS, "gpu": MODEL})
    assert found_late(released) == ["PERSON"]
