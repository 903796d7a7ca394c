"""A rule that finishes after the deadline: answered in time without it, attached when it comes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from review.models import ItemTrigger, ReviewItem
from tests.faults.workers import Worker, running_worker, use_policy
from tests.interception.conftest import ApiClient
from tests.threads import at_once
from webapp.audit.models import AuditEvent
from webapp.interception import tasks
from webapp.interception.models import Check
from webapp.interception.screening import client

pytestmark = pytest.mark.faults
#: Imported by the worker alone: guardrails-ai is not for this process.
VALIDATOR = "tests.faults.validators:StopsItsProcess"
DEADLINE_MS = 700
POLICY = """
name: {mode}
rules:
  - id: slow
    detector: guardrails_ai
    options: {{validator: "{path}"}}
    entities: {{failed: hold}}
    on_error: {mode}
"""


@pytest.fixture(scope="module")
def slow_worker(own_broker: str) -> Iterator[Worker]:
    with running_worker(own_broker, "cpu", COUNTERSIGN_GUARDRAILS_VALIDATORS=VALIDATOR) as worker:
        yield worker


@pytest.fixture
def worker(slow_worker: Worker, api: ApiClient) -> Worker:
    for mode in ("open", "hold", "block"):
        use_policy(POLICY.format(mode=mode, path=VALIDATOR))
    first = api.check("The very first one imports guardrails-ai.", policy="open", deadline_ms=60_000)
    assert first["unscanned"] == []
    return slow_worker


def resume(worker: Worker) -> None:
    """Let the worker finish what it was at, and return when its reply is there."""
    os.kill(worker.pid, signal.SIGCONT)
    keys = list(Check.objects.exclude(reply_key="").values_list("reply_key", flat=True))
    worker.supervisor.wait_until(lambda: len(client().late_results(keys)) == len(keys), timeout=60, what="late results")


def late_events() -> list[str]:
    """Return the checks that the log says got late results."""
    events = AuditEvent.objects.filter(type="check.late_result")
    return [json.loads(bytes(event.envelope))["object"]["id"] for event in events]


def ask(api: ApiClient, output: str, **fields: Any) -> tuple[dict[str, Any], float]:
    began = time.monotonic()
    answer = api.check(output, deadline_ms=DEADLINE_MS, **fields)
    return answer, time.monotonic() - began


def test_the_fail_mode_answers_in_time_and_what_comes_late_is_attached_once(worker: Worker, api: ApiClient) -> None:
    answer, seconds = ask(api, "stop: wrong", policy="open")
    assert seconds < DEADLINE_MS / 1000 + 1
    assert (answer["verdict"], answer["output"]) == ("allow", "stop: wrong")
    assert answer["unscanned"] == [{"rule": "slow", "reason": "deadline"}]
    assert not ReviewItem.objects.exists()
    assert tasks.collect_late_results() == 0
    resume(worker)
    assert sum(at_once(lambda _: tasks.collect_late_results(), times=3)) == 1
    assert tasks.collect_late_results() == 0
    check = Check.objects.get(deadline_ms=DEADLINE_MS)
    assert late_events() == [str(check.id)]
    assert ItemTrigger.objects.get(item__checked=check).kind == "late"
    later = json.loads(api.get(f"/v1/checks/{answer['id']}").content)
    assert (later["verdict"], later["output"]) == (answer["verdict"], answer["output"])
    assert [finding["category"] for finding in later["findings"]] == ["failed"]
    assert check.unscanned == [{"rule": "slow", "reason": "deadline", "late": True}]


@pytest.mark.parametrize(("mode", "verdict"), [("hold", "hold"), ("block", "block")])
def test_what_was_not_released_raises_no_second_item(worker: Worker, api: ApiClient, mode: str, verdict: str) -> None:
    answer, _ = ask(api, "stop: wrong", policy=mode)
    assert (answer["verdict"], answer["output"]) == (verdict, None)
    before = list(ItemTrigger.objects.values_list("kind", flat=True))
    resume(worker)
    assert tasks.collect_late_results() == 1
    assert list(ItemTrigger.objects.values_list("kind", flat=True)) == before
    assert Check.objects.get(deadline_ms=DEADLINE_MS).findings.get().late


def test_late_results_of_a_batch_go_to_their_own_checks(worker: Worker, api: ApiClient) -> None:
    outputs = ["one is fine", "two: stop: wrong", "three: wrong"]
    wanted = [{"output": output, "policy": "open", "deadline_ms": DEADLINE_MS} for output in outputs]
    answers = json.loads(api.post("/v1/checks/batch", {"checks": wanted}).content)["results"]
    assert [answer["unscanned"] for answer in answers] == [[{"rule": "slow", "reason": "deadline"}]] * 3
    resume(worker)
    assert tasks.collect_late_results() == 2
    checks = {check.content.output: check for check in Check.objects.filter(deadline_ms=DEADLINE_MS)}
    one, two, three = (checks[output] for output in outputs)
    assert [finding.checked_id for finding in two.findings.all()] == [two.id]
    assert not one.findings.exists()
    # The third had not begun at its deadline: nobody looked at it, then or later.
    assert not three.findings.exists()
    assert [bool(check.unscanned[0].get("late")) for check in (one, two, three)] == [True, True, False]
    assert sorted(late_events()) == sorted([str(one.id), str(two.id)])
    assert [item.checked_id for item in ReviewItem.objects.all()] == [two.id]
    assert not Check.objects.exclude(reply_key="").exists()
