"""Nobody reads what others answered and then answers again."""

from __future__ import annotations

import uuid

from django.test import Client
from django.urls import reverse

from review.services.comments import add_comment
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, new_item, queue_of


def test_others_answers_are_shown_once_nobody_can_take_theirs_back(cast: Cast, client: Client) -> None:
    queue_of(cast, required_reviews=3)
    item = new_item(cast)
    said = {"anna": "release", "bert": "release", "carl": "block"}
    for name, outcome in said.items():
        who = another(cast, name)
        slot = claim_one(cast, who)
        add_comment(item=item, membership=who, key=uuid.uuid4(), text=f"remark of {name}")
        done = answer(slot, who, outcome, note=f"note of {name}", statement=f"statement of {name}")
    assert done.decision is not None
    client.force_login(who.user)
    page = reverse("review:item", args=[cast.project.slug, item.public_id])
    before = client.get(page).text
    assert [name for name in said if f"note of {name}" in before or f"remark of {name}" in before] == ["carl"]
    assert "statement of anna" not in before
    effects_now(done.decision)
    after = client.get(page).text
    assert all(f"note of {name}" in after and f"remark of {name}" in after for name in said)
    assert "statement of anna" in after
