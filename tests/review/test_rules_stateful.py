"""The rules of review hold whatever people do, in any order: random steps against the real database.

`COUNTERSIGN_STEPS=20 pytest tests/review/test_rules_stateful.py` runs twenty times as many examples, from a new seed.
"""

from __future__ import annotations

import datetime as dt
import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import Cast
from tests.review.steps import DRAWS
from tests.review.steps_of_leads import StepsOfLeads
from tests.review.steps_of_many import StepsOfMany
from tests.review.steps_of_rest import StepsOfRest
from tests.review.steps_of_reviewers import StepsOfReviewers

MORE = int(os.environ.get("COUNTERSIGN_STEPS", "0"))


class Review(StepsOfReviewers, StepsOfLeads, StepsOfMany, StepsOfRest):
    """All steps, in any order."""


@pytest.mark.timeout(600)
def test_the_rules_hold_whatever_people_do(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Review.first_cast = cast
    for module in ("review.draws", "review.services.probe_turns"):
        monkeypatch.setattr(f"{module}.share_of", lambda item, purpose: DRAWS.random())
    monkeypatch.setattr("review.services.probes._while_ago", lambda queue: dt.timedelta(minutes=DRAWS.random()))
    run_state_machine_as_test(
        Review,
        settings=settings(
            max_examples=12 * max(1, MORE),
            stateful_step_count=40,
            deadline=None,
            derandomize=not MORE,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
