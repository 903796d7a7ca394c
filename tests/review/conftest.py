from __future__ import annotations

import pytest

from review.models import GoldenItem, Queue, ReviewItem
from review.services.raising import ensure_default_queue
from tests.factories import Cast, make_cast
from tests.review.golden import decided, golden_of, probe_of
from tests.review.working import member
from webapp.accounts.models import Membership
from webapp.local.processes import Supervisor


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def golden(cast: Cast) -> GoldenItem:
    return golden_of(cast, decided(cast))


@pytest.fixture
def probe(cast: Cast, golden: GoldenItem) -> ReviewItem:
    return probe_of(cast, golden)


@pytest.fixture
def reviewer(cast: Cast) -> Membership:
    return member(cast, cast.reviewer)


@pytest.fixture
def lead(cast: Cast) -> Membership:
    return member(cast, cast.lead)


@pytest.fixture
def queue(cast: Cast, screen_workers: Supervisor) -> Queue:
    """Return a queue that no routing rule leads to; real workers screen."""
    other = ensure_default_queue(project=cast.project)
    return Queue.objects.create(project=cast.project, slug="partner", name="Partner", label_schema=other.label_schema)
