"""What somebody sees who decides between answers."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from review.models import ReviewItem, SpanAnnotation
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of


@pytest.fixture
def disputed(cast: Cast) -> ReviewItem:
    """Return an item that two could not settle."""
    queue_of(cast, required_reviews=2, max_reviews=2)
    item = new_item(cast)
    email = item.checked.findings.get(category="EMAIL_ADDRESS")
    ursula, viktor = another(cast, "ursula"), another(cast, "viktor")
    said = answer(claim_one(cast, ursula), ursula, "redact", findings={email.id: True}, note="Her address.")
    SpanAnnotation.objects.create(annotation=said.annotation, change="added", label="INSULT", start=38, end=43)
    answer(
        claim_one(cast, viktor),
        viktor,
        "replace",
        findings={email.id: False},
        labels={"violence": False},
        correction="Ask <b>Ann</b>.",
        note="Public.",
    )
    return item


def page_of(cast: Cast, client: Client, item: ReviewItem) -> str:
    claim_one(cast, member(cast, cast.lead))
    client.force_login(cast.lead)
    return client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text


def rows(page: str) -> dict[str, list[str]]:
    table = page[page.index("peer-table") : page.index("</table>", page.index("peer-table"))]
    found = {}
    for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]:
        cells = [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)
        ]
        found[cells[0]] = cells[1:]
    return found


def test_answers_stand_side_by_side_with_spans_and_reasons(cast: Cast, client: Client, disputed: ReviewItem) -> None:
    assert rows(page_of(cast, client, disputed)) == {
        "Verdict": ["redact", "replace"],
        "EMAIL_ADDRESS ann@example.com differs": ["kept", "dropped"],
        "INSULT idiot": ["added", "–"],
        "violence": ["–", "no"],
        "Reasons": ["Her address.", "Public."],
    }


def test_an_adjudicator_learns_no_names(cast: Cast, client: Client, disputed: ReviewItem) -> None:
    page = page_of(cast, client, disputed)
    assert "ursula" not in page
    assert "viktor" not in page
    assert "Reviewer A" in page


def test_edited_texts_are_shown_as_texts(cast: Cast, client: Client, disputed: ReviewItem) -> None:
    assert "Ask &lt;b&gt;Ann&lt;/b&gt;." in page_of(cast, client, disputed)


def test_nobody_else_sees_the_answers(cast: Cast, client: Client, disputed: ReviewItem) -> None:
    client.force_login(cast.owner)
    page = client.get(reverse("review:item", args=[cast.project.slug, disputed.public_id])).text
    assert "Her address." not in page
    assert "peer-table" not in page
