"""Nobody reads what others answered and then answers again."""

from __future__ import annotations

import uuid

from django.test import Client
from django.urls import reverse

from review.own import own_figures
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


def test_who_answers_last_is_not_told_what_it_came_to_before_nobody_can_answer_again(
    cast: Cast, client: Client
) -> None:
    queue_of(cast, required_reviews=3)
    item = new_item(cast)
    for name in ("anna", "bert"):
        who = another(cast, name)
        answer(claim_one(cast, who), who, "release")
    last = another(cast, "carl")
    slot = claim_one(cast, last)
    client.force_login(last.user)
    sent = {"token": slot.lease_token, "version": item.version, "submission": uuid.uuid4()}
    submit = reverse("review:submit", args=[cast.project.slug, slot.id])
    told = client.post(submit, {**sent, "outcome": "block"}, headers={"Accept": "application/json"}).json()
    assert (told["undo"]["outcome"], "release" in str(told)) == ("block", False)

    def seen() -> list[bool]:
        """Return where the outcome of the decision is to be read."""
        pages = [
            (reverse("review:item", args=[cast.project.slug, item.public_id]), "outcome outcome-release"),
            (reverse("review:mine", args=[cast.project.slug]), "outcome outcome-release"),
            (reverse("review:queues", args=[cast.project.slug]), "outcome outcome-release"),
            (reverse("review:browse", args=[cast.project.slug]), "outcome outcome-release"),
            (reverse("review:browse", args=[cast.project.slug]) + "?outcome=release", item.public_id[-8:]),
            (reverse("review:browse", args=[cast.project.slug]) + "?method=consensus", item.public_id[-8:]),
        ]
        return [sign in client.get(url).text for url, sign in pages]

    assert seen() == [False, False, False, False, False, True]
    assert own_figures(project=cast.project, user=last.user).agreement.whole == 0
    effects_now(item.decisions.get())
    assert seen() == [True, True, False, True, True, True]
    assert own_figures(project=cast.project, user=last.user).agreement.whole == 1
