"""What the API says of reviews: the answer that this room registers with interception, which does not know it."""

from __future__ import annotations

import uuid

from review.models import ReviewItem


def review_states(ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Return the public id and the state of each check's newest item; checks without one are left out."""
    items = ReviewItem.objects.filter(checked__in=ids).order_by("created_at", "id")
    return {item.checked_id: (item.public_id, item.state) for item in items}
