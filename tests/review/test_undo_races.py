"""Undo against readers and sweeps: whoever is first, what was told and what holds are the same."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from review.errors import TooLate
from review.models import Decision, ReviewItem
from review.services import sweep_effects, undo_decision
from tests.factories import make_cast
from tests.review.working import answer, claim_one, member, new_item
from webapp.interception.models import Check, Release
from webapp.interception.selectors import answers

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_told_and_what_holds_agree_whoever_is_first() -> None:
    cast = make_cast()
    reviewer = member(cast, cast.reviewer)
    outcomes = set()
    for early in range(12):
        item = new_item(cast)
        decision = answer(claim_one(cast, reviewer), reviewer).decision
        assert decision is not None
        # Their clocks disagree about whether the time is over.
        Release.objects.filter(decision_id=decision.id).update(waits_until=timezone.now() - dt.timedelta(seconds=1))
        start = threading.Barrier(3)

        def read(check_id: uuid.UUID = item.checked_id, start: threading.Barrier = start) -> str | None:
            start.wait(10)
            try:
                return answers([Check.objects.get(pk=check_id)])[0].verdict
            finally:
                connection.close()

        def sweep(start: threading.Barrier = start) -> None:
            start.wait(10)
            try:
                sweep_effects()
            finally:
                connection.close()

        def undo(decision: Decision = decision, start: threading.Barrier = start) -> bool:
            start.wait(10)
            try:
                undo_decision(decision=decision, membership=reviewer)
            except TooLate:
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as pool:
            told, _, undone = pool.submit(read), pool.submit(sweep), pool.submit(undo)
        item = ReviewItem.objects.get(pk=item.pk)
        assert told.result() == ("hold" if undone.result() else "allow"), early
        assert item.state == ("in_review" if undone.result() else "decided")
        assert Release.objects.filter(decision_id=decision.id).exists() is not undone.result()
        outcomes.add(undone.result())
        if undone.result():
            answer(claim_one(cast, reviewer), reviewer, "block")
    assert outcomes
