"""What leads see of agreement, which answers it is measured on, and what reviewers see of their own."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.agreement.figures import QueueAgreement, own_agreement, read_agreement
from review.agreement.reading import Choice
from review.models import Annotation, Assignment, ReviewItem, SpanAnnotation
from review.services import AppealRequest, make_appeal, make_golden
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of
from webapp.accounts.models import Membership


def answered(cast: Cast, *answers: tuple[Membership, str], labels: dict[str, bool] | None = None) -> ReviewItem:
    """Return an item that was answered so, in turn, and decided if these answers decide it."""
    item = new_item(cast)
    for who, outcome in answers:
        decision = answer(claim_one(cast, who), who, outcome, labels=labels or {}).decision
        if decision is not None:
            effects_now(decision)
    item.refresh_from_db()
    return item


@pytest.fixture
def people(cast: Cast) -> list[Membership]:
    queue_of(cast, required_reviews=2, max_reviews=3)
    return [member(cast, cast.reviewer), another(cast, "second"), another(cast, "third")]


def choice(cast: Cast, **fields: Any) -> Choice:
    now = timezone.now()
    return Choice(cast.project, now - dt.timedelta(days=1), now + dt.timedelta(days=1), **fields)


def figures(cast: Cast, **fields: Any) -> QueueAgreement:
    [found] = read_agreement(choice(cast, **fields))
    return found


def url(cast: Cast, name: str = "agreement", *args: object) -> str:
    return reverse(f"review:{name}", args=[cast.project.slug, *args])


def test_outcomes_verdicts_and_categories_are_measured(cast: Cast, people: list[Membership]) -> None:
    one, two, _ = people
    for outcome in ("release", "release", "block"):
        answered(cast, (one, outcome), (two, outcome), labels={"violence": outcome == "block"})
    answered(cast, (one, "redact"), (two, "block"), (people[2], "redact"), labels={"violence": True})
    found = {measure.name: measure for measure in figures(cast).measures}
    assert [(found[name].items, found[name].answers) for name in ("outcome", "verdict", "violence")] == [(4, 8)] * 3
    assert [found[name].same.value for name in ("outcome", "verdict", "violence")] == [0.75, 1.0, 1.0]
    # By hand: of 8 answers 4 release, 3 block and 1 redacts; 2 differ from their item's other.
    assert found["outcome"].alpha.value == pytest.approx(1 - 2 / ((64 - 16 - 9 - 1) / 7))
    assert found["outcome"].cohen is not None
    assert found["outcome"].cohen.value == pytest.approx((0.75 - 6 / 16) / (1 - 6 / 16))


def test_an_answer_that_was_asked_for_because_others_differed_does_not_count(
    cast: Cast, people: list[Membership]
) -> None:
    answered(cast, *zip(people, ("release", "block", "release"), strict=True))
    assert [slot.extra for slot in Assignment.objects.order_by("slot_no")] == [False, False, True]
    assert figures(cast).measures[0].answers == 2


def test_neither_adjudicators_nor_appeals_nor_what_was_taken_back_counts(cast: Cast, people: list[Membership]) -> None:
    queue_of(cast, max_reviews=2)
    one, two, three = people
    item = answered(cast, (one, "release"), (two, "block"), (member(cast, cast.lead), "block"))
    assert item.state == "decided"
    make_appeal(check=item.checked, application=cast.application, wanted=AppealRequest(reason="No."))
    answered_again = answer(claim_one(cast, three), three, "release").decision
    assert answered_again is not None
    effects_now(answered_again)
    assert figures(cast).measures[0].answers == 2
    Annotation.objects.filter(reviewer=two.user).update(counts=False)
    assert read_agreement(choice(cast)) == []


def test_answers_to_golden_items_do_not_count(cast: Cast, people: list[Membership]) -> None:
    one, two, _ = people
    source, other = (answered(cast, (one, "block"), (two, "block")) for _ in range(2))
    right: dict[str, Any] = {"outcome": "block", "labels": {}, "spans": [], "note": ""}
    golden = make_golden(item=source, membership=member(cast, cast.lead), **right)
    ReviewItem.objects.filter(pk=other.pk).update(golden=golden)
    assert figures(cast).measures[0].items == 1


def test_the_period_is_of_decisions_that_hold(cast: Cast, people: list[Membership]) -> None:
    one, two, _ = people
    item = answered(cast, (one, "release"), (two, "release"))
    assert figures(cast).measures[0].items == 1
    assert read_agreement(choice(cast, blind=True)) == []
    ReviewItem.objects.filter(pk=item.pk).update(decided_at=timezone.now() + dt.timedelta(seconds=9))
    assert read_agreement(choice(cast)) == []
    ReviewItem.objects.filter(pk=item.pk).update(decided_at=timezone.now() - dt.timedelta(days=2))
    assert read_agreement(choice(cast)) == []


def test_places_are_compared_where_both_judged_some(cast: Cast, people: list[Membership]) -> None:
    one, two, _ = people
    answered(cast, (one, "redact"), (two, "redact"))
    moved = SpanAnnotation.objects.filter(annotation__reviewer=two.user).get()
    moved.start += 3
    moved.save()
    answered(cast, (one, "redact"), (two, "release"), (people[2], "redact"))
    everything, email = figures(cast).spans
    assert (everything.label, email.label) == ("", "EMAIL_ADDRESS")
    assert (email.exact.items, email.exact.value, email.overlapping.value) == (1, 0.0, 1.0)


def test_pairs_are_named_in_the_order_of_their_names(cast: Cast, people: list[Membership]) -> None:
    one, two, three = people
    for pair in ((two, three), (one, three), (one, two)):
        answered(cast, *((who, "release") for who in pair))
    found = figures(cast)
    names = [(pair.first, pair.second) for pair in found.pairs]
    assert names == [("reviewer", "second"), ("reviewer", "third"), ("second", "third")]
    assert found.measures[0].cohen is None


def test_leads_see_tables_and_plots_and_download_them(cast: Cast, client: Client, people: list[Membership]) -> None:
    one, two, _ = people
    for outcome in ("release", "block"):
        answered(cast, (one, outcome), (two, outcome), labels={"violence": True})
    queue_of(cast, name='"><script>')
    client.force_login(cast.lead)
    page = client.get(url(cast)).text
    assert (
        'role="img" aria-label="Krippendorff&#x27;s alpha with its interval of 95 %: &quot;&gt;&lt;script&gt;"' in page
    )
    assert '"><script>' not in page
    # Nobody said anything but "violates": of that there is no coefficient, and no dot.
    assert re.findall(r'<text class="dots-text"[^>]*end">([^<]*)</text>', page) == ["outcome"]
    assert "1.00 (1.00 to 1.00)" in page
    assert "style=" not in page
    found = json.loads(client.get(url(cast, "agreement-file", "json")).content)
    [queue] = found["queues"]
    assert [measure["name"] for measure in queue["measures"]] == ["outcome", "verdict", "violence"]
    assert queue["measures"][2]["alpha"] == {"value": None, "low": None, "high": None, "items": 2}
    answer_ = client.get(url(cast, "agreement-file", "csv"))
    assert "acme-agreement-" in answer_["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer_.content.decode())))
    assert rows[0] | {"low": "", "high": ""} == {
        "queue": "default", "kind": "outcome", "name": "outcome", "coefficient": "same",
        "value": "1.0", "low": "", "high": "", "items": "2",
    }  # fmt: skip
    assert rows[-1]["name"] == "reviewer / second"


@pytest.mark.parametrize(
    "query", ["since=2026-13-01", "since=2026-02-02&until=2026-02-01", "since=2024-01-01&until=2026-01-01", "queue=no"]
)
def test_what_is_no_period_is_said_to_be_none(cast: Cast, client: Client, query: str) -> None:
    client.force_login(cast.lead)
    for address in (url(cast), url(cast, "agreement-file", "csv")):
        response = client.get(f"{address}?{query}")
        assert (response.status_code, "Nothing is shown" in response.text) == (422, True)


def test_without_doubly_answered_items_it_says_what_to_do(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    assert "No item was answered by two reviewers" in client.get(f"{url(cast)}?since=2026-01-01&until=2026-01-31").text
    assert client.get(url(cast, "agreement-file", "exe")).status_code == 404


def test_figures_take_the_same_queries_however_many_items(
    cast: Cast, people: list[Membership], django_assert_num_queries: Any
) -> None:
    one, two, _ = people
    for _ in range(3):
        answered(cast, (one, "redact"), (two, "redact"))
    with django_assert_num_queries(4):  # answers, places, names, queues
        read_agreement(choice(cast))


def test_reviewers_see_their_own_figure_and_nobody_else_s(cast: Cast, client: Client, people: list[Membership]) -> None:
    one, two, three = people
    for outcome in ("release", "block"):
        answered(cast, (one, outcome), (two, outcome))
    answered(cast, (two, "release"), (three, "block"), (one, "block"))
    own = own_agreement(choice(cast), cast.reviewer)
    assert (own.items, own.value) == (2, 1.0)
    assert own_agreement(choice(cast), three.user).value == 0.0
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:mine", args=[cast.project.slug])).text
    assert "1.00 (" in page
    assert "third" not in page
