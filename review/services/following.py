"""Decide a near-duplicate as the item was decided that somebody read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from review.models import Assignment, ClusterDecision, Decision, ReviewItem
from review.models.annotations import Assistance
from review.models.decisions import Method
from review.models.items import SlotState
from review.services.answers import store_answer, validate_answer
from review.services.decisions import decide
from review.services.submission import Answer
from webapp.accounts.models import Membership


def decide_like(
    cluster: ClusterDecision,
    item: ReviewItem,
    slot: Assignment,
    *,
    kept: Mapping[int, bool],
    precedent: Decision | None = None,
) -> Decision:
    """Give a locked item the answer of a cluster decision, with what it says of the item's own findings, and decide it.

    With a `precedent` the item came later: the decision names it, and can be taken back like any other. Raises
    InvalidAnswer when the answer does not fit the item any more.
    """
    said = cluster.annotation
    answer = Answer(
        outcome=said.outcome,
        findings=kept,
        labels=said.labels,
        rubric=said.rubric,
        reasons=said.reasons,
        note=said.rationale,
    )
    checked = validate_answer(item=item, answer=answer)
    annotation = store_answer(
        item=item,
        slot=slot,
        reviewer=cluster.decided_by,
        answer=answer,
        # Composed anew it would lack the sentences, which are in the note by now.
        checked=replace(checked, statement=said.statement, statement_edited=said.statement_edited),
        counts=True,
        # One for each item of the decision, whoever runs it and however often.
        idempotency_key=uuid.uuid5(cluster.id, str(item.id)),
        assistance=Assistance.SHOWN,
        precedent=precedent,
    )
    slot.state, slot.lease_owner = SlotState.SUBMITTED, cluster.decided_by
    slot.save(update_fields=["state", "lease_owner"])
    return decide(
        item=item,
        answers=[annotation],
        method=Method.CLUSTER,
        membership=Membership(user=cluster.decided_by, project=item.project, role=cluster.role),
        final=precedent is None,
        precedent=precedent,
        reason_codes=[f"cluster:{cluster.id}"],
    )
