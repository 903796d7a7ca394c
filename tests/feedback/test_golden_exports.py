"""What measures reviewers is no data."""

from __future__ import annotations

from django.utils import timezone

from feedback.filters import Filters
from feedback.selectors import decided_items
from review.models import ReviewItem
from review.services import Answer, Judgement, claim_qa, make_golden, retire_golden, submit_qa
from tests.factories import Cast
from tests.feedback.deciding import answer, decide, default_queue, words
from tests.review.working import member


def decided(cast: Cast, *, golden: bool = False) -> set[str]:
    found = decided_items(project=cast.project, filters=Filters(golden=golden), before=timezone.now())
    return {item.public_id for item in found}


def test_golden_items_and_answers_to_them_are_left_out(cast: Cast) -> None:
    item = decide(cast, output=words(1), by=cast.lead, findings=[])
    lead = member(cast, cast.lead)
    golden = make_golden(item=item, membership=lead, outcome="release", labels={}, spans=[], note="")
    queue = default_queue(cast)
    queue.golden_rate = 1.0
    queue.save(update_fields=["golden_rate"])
    ordinary = decide(cast, output=words(2), findings=[])
    answer(cast, Answer(outcome="release"))
    probe = ReviewItem.objects.get(golden=golden)
    ordinary.refresh_from_db()  # whichever of the two came first
    assert (probe.state, ordinary.state) == ("decided", "decided")
    real = {item.public_id, ordinary.public_id, probe.public_id} - {probe.public_id}
    assert decided(cast) == real - {item.public_id}
    assert decided(cast, golden=True) == real
    retire_golden(golden=golden, membership=lead)
    assert decided(cast) == real


def test_the_filter_is_kept(cast: Cast) -> None:
    assert Filters.from_json(Filters(golden=True).as_json()).golden
    assert Filters().as_json() == {}


def test_what_qa_decided_is_left_out(cast: Cast) -> None:
    queue = default_queue(cast)
    queue.qa_rate = 1.0
    queue.save(update_fields=["qa_rate"])
    right, wrong = decide(cast, output=words(1), findings=[]), decide(cast, output=words(2), findings=[])
    lead = member(cast, cast.lead)
    for item in (right, wrong):
        slot = claim_qa(membership=lead)
        assert slot is not None
        assert slot.lease_token is not None
        assert slot.item_id == item.id
        said = Judgement("block", "major", "No.") if item == wrong else Judgement("release")
        submit_qa(slot=slot, membership=lead, lease_token=slot.lease_token, judgement=said)
    assert decided(cast) == {right.public_id}
