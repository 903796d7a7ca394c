"""Attach results that came after the verdict."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from screening.findings import JobResult, Queue, RuleResult
from webapp.audit.log import Actor, EventObject, record_event
from webapp.interception.models import Check, Finding
from webapp.interception.rows import finding_row
from webapp.interception.signals import check_flagged


@transaction.atomic
def attach_late_results(check_id: uuid.UUID, results: Mapping[Queue, JobResult]) -> bool:
    """Attach what rules found after the verdict, by queue, and tell whether there was something to attach.

    The verdict stays; a person is told when the findings would have mattered. Parts of rules that had a result in time,
    or were attached before, are passed over: safe to run twice.
    """
    # Not FOR UPDATE: who decides the check's item holds that, and then inserts a release, which refers to the check.
    check = Check.objects.select_for_update(no_key=True).get(pk=check_id)
    new = [result for item in check.unscanned for result in _heard(item, results)]
    if not any(item.get("awaits") for item in check.unscanned):
        check.reply_key = ""
    check.save(update_fields=["unscanned", "reply_key"])
    if not new:
        return False
    findings = [finding for result in new for finding in result.findings]
    Finding.objects.bulk_create(finding_row(check, finding, late=True) for finding in findings)
    record_event(
        type="check.late_result",
        project_id=check.project_id,
        actor=Actor(kind="system", ref="countersign"),
        object=EventObject("check", check.id),
        reason_codes=[f"rule:{rule}" for rule in dict.fromkeys(result.rule for result in new)],
    )
    if check.verdict in ("allow", "redact") and any(finding.action != "observe" for finding in findings):
        check_flagged.send(sender=Check, check=check, kind="late", inclusion_prob=1.0)
    return True


def _heard(item: dict[str, Any], results: Mapping[Queue, JobResult]) -> list[RuleResult]:
    """Return the parts of a rule that are no longer awaited, and have a result; `item` is the rule's in `unscanned`."""
    awaited = item.pop("awaits", [])
    if left := [queue for queue in awaited if queue not in results]:
        item["awaits"] = left
    parts = [rule for queue in awaited if queue in results for rule in results[queue].rules]
    scanned = [part for part in parts if part.rule == item["rule"] and not part.unscanned]
    if scanned:
        item["late"] = True
    return scanned
