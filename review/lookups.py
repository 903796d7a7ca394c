"""What the API says of reviews: the answer that this room registers with interception, which does not know it."""

from __future__ import annotations

import datetime as dt
import uuid

from review.models import ReviewItem
from review.models.items import ItemState


def review_states(ids: list[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, tuple[str, str]]:
    """Return the public id and the state at `now` of each check's newest item; checks without one are left out."""
    items = ReviewItem.objects.real().filter(checked__in=ids).order_by("created_at", "id")
    return {item.checked_id: (item.public_id, _state(item, now)) for item in items}


def _state(item: ReviewItem, now: dt.datetime) -> str:
    # A decision that can still be taken back is not told to anybody.
    undecided = item.state == ItemState.DECIDED and item.decided_at is not None and item.decided_at > now
    return ItemState.IN_REVIEW if undecided else item.state
