"""Places that are marked by their text, from the form of a page without scripts to what goes out."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from review.models import Assignment
from review.quoting import quoted_spans
from review.spans import MAX_SPANS
from tests.factories import Cast
from tests.review.working import claim_one, member, new_item
from webapp.interception.models import Release

OUTPUT = "Ann Lima wrote to Ann Lima's house: <b>5 Mill Lane</b>."


@pytest.fixture
def slot(cast: Cast) -> Assignment:
    new_item(cast, output=OUTPUT, findings=[])
    return claim_one(cast, member(cast, cast.reviewer))


def send(cast: Cast, client: Client, slot: Assignment, **fields: Any) -> HttpResponse:
    client.force_login(cast.reviewer)
    fences = {"token": str(slot.lease_token), "version": slot.item.version, "submission": str(slot.id)}
    url = f"/p/acme/review/slots/{slot.id}/submit/"
    return client.post(url, {"outcome": "redact", **fences, **fields})  # type: ignore[return-value]


def test_a_copied_text_is_taken_out_in_every_place(cast: Cast, client: Client, slot: Assignment) -> None:
    quotes = {"quote": ["Ann Lima", "5 Mill Lane", ""], "quote-type": ["PERSON", "LOCATION", ""]}

    assert send(cast, client, slot, **quotes).status_code == 302

    stored = slot.annotations.get()
    assert {(span.change, span.label, OUTPUT[span.start : span.end]) for span in stored.spans.all()} == {
        ("added", "PERSON", "Ann Lima"),
        ("added", "LOCATION", "5 Mill Lane"),
    }
    assert stored.spans.count() == 3
    assert Release.objects.get().output == "[PERSON] wrote to [PERSON]'s house: <b>[LOCATION]</b>."


@pytest.mark.parametrize(
    ("quote", "label", "said"),
    [
        ("Bob <i>", "PERSON", "is not in the output"),
        ("Ann", "", "Choose a type"),
        ("Ann", "<b>", "a type that this queue does not offer"),
    ],
)
def test_what_can_not_be_marked_is_refused_and_stays_filled_in(
    cast: Cast, client: Client, slot: Assignment, quote: str, label: str, said: str
) -> None:
    answered = send(cast, client, slot, **{"quote": quote, "quote-type": label})

    assert answered.status_code == 422
    page = answered.content.decode()
    assert said in page
    assert f'value="{quote.replace("<", "&lt;").replace(">", "&gt;")}"' in page
    assert not slot.annotations.exists()


def test_a_text_in_too_many_places_is_refused() -> None:
    with pytest.raises(Exception, match="too many places"):
        quoted_spans([("a", "PERSON")], "a" * (MAX_SPANS + 1))
    assert quoted_spans([], None) == []
