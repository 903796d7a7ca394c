from __future__ import annotations

import pytest

from review.models import GoldenItem, ReviewItem
from tests.factories import Cast, make_cast
from tests.review.golden import decided, golden_of, probe_of


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def golden(cast: Cast) -> GoldenItem:
    return golden_of(cast, decided(cast))


@pytest.fixture
def probe(cast: Cast, golden: GoldenItem) -> ReviewItem:
    return probe_of(cast, golden)
