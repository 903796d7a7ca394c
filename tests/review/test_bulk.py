"""Leads change all the open items that a filter matches, and undo it where nothing else changed since."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.errors import InvalidAnswer
from review.models import Assignment, BulkAction, Queue, ReviewItem
from review.models.bulk import BulkKind
from review.services import bulk, claim_items, create_queue, ensure_default_queue, raise_item
from review.services.bulk import start_bulk, undo_bulk
from review.services.queues import QUEUE_SETTINGS
from review.tasks import sweep_bulk
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of


def other_queue(cast: Cast) -> Queue:
    settings = {name: getattr(ensure_default_queue(project=cast.project), name) for name in QUEUE_SETTINGS}
    settings["name"] = "Other"
    return create_queue(project=cast.project, slug="b", settings=settings, membership=member(cast, cast.lead))


def start(cast: Cast, kind: BulkKind, value: object = "", **wanted: Any) -> BulkAction:
    given: dict[str, Any] = {
        "filters": {},
        "query": "",
        "until": timezone.now(),
        "counted": 100,
        "reason": "Flood",
    } | wanted
    return start_bulk(membership=member(cast, cast.lead), kind=kind, value=str(value), **given)


def run(cast: Cast, kind: BulkKind, value: object = "", **wanted: Any) -> BulkAction:
    action = start(cast, kind, value, **wanted)
    sweep_bulk()
    return action


def undo(cast: Cast, action: BulkAction) -> None:
    undo_bulk(action=action, membership=member(cast, cast.owner))
    sweep_bulk()


def outcomes(action: BulkAction) -> list[tuple[str, str]]:
    return list(action.changes.order_by("item").values_list("state", "why"))


def test_items_go_to_another_queue_and_back(cast: Cast) -> None:
    items = [new_item(cast) for _ in range(3)]
    target = other_queue(cast)
    ReviewItem.objects.update(cluster=items[0].id)
    action = run(cast, BulkKind.MOVE, target.id)
    assert set(ReviewItem.objects.values_list("queue", "cluster")) == {(target.id, None)}
    assert set(Assignment.objects.values_list("queue", flat=True)) == {target.id}
    [slot] = claim_items(queue=target, membership=member(cast, cast.reviewer), k=1)
    undo(cast, action)
    assert outcomes(action) == [("kept", "held")] + [("reverted", "")] * 2
    assert ReviewItem.objects.filter(queue=target).get() == slot.item


def test_what_people_work_on_is_left(cast: Cast) -> None:
    for _ in range(3):
        new_item(cast)
    taken = claim_one(cast, member(cast, cast.reviewer))
    done = claim_one(cast, another(cast, "second"))
    action = start(cast, BulkKind.CANCEL)
    answer(done, another(cast, "third") if done.lease_owner is None else member(cast, done.lease_owner))
    sweep_bulk()
    states = {change.item_id: (change.state, change.why) for change in action.changes.all()}
    assert states.pop(taken.item_id) == ("skipped", "held")
    assert states.pop(done.item_id) == ("skipped", "closed")
    assert list(states.values()) == [("changed", "")]


def test_cancelled_items_come_back_as_they_were(cast: Cast) -> None:
    item = new_item(cast)
    action = run(cast, BulkKind.CANCEL)
    item.refresh_from_db()
    assert item.state == "cancelled"
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer)) == []
    undo(cast, action)
    item.refresh_from_db()
    assert item.state == "pending"
    assert claim_one(cast, member(cast, cast.reviewer)).item == item


def test_a_cancelled_item_stays_so_when_its_check_came_again(cast: Cast) -> None:
    item = new_item(cast)
    action = run(cast, BulkKind.CANCEL)
    raise_item(check=item.checked, kind="late")
    undo(cast, action)
    assert outcomes(action) == [("kept", "moved_on")]


def test_the_order_changes_and_comes_back(cast: Cast) -> None:
    first, second = new_item(cast), new_item(cast)
    before = (first.severity, first.priority)
    action = run(cast, BulkKind.SEVERITY, 4)
    first.refresh_from_db()
    assert (first.severity, first.priority) == (4, 4.0)
    assert set(Assignment.objects.values_list("priority", flat=True)) == {first.priority}
    ReviewItem.objects.filter(pk=second.pk).update(severity=1)
    undo(cast, action)
    first.refresh_from_db()
    second.refresh_from_db()
    assert ((first.severity, first.priority), second.severity) == (before, 1)
    assert outcomes(action) == [("reverted", ""), ("kept", "moved_on")]


@pytest.mark.parametrize(("place", "comes"), [("first", True), ("last", False)])
def test_items_are_put_first_or_last(cast: Cast, place: str, comes: bool) -> None:
    new_item(cast)
    run(cast, BulkKind.PRIORITY, place)
    other = new_item(cast)
    assert (claim_one(cast, member(cast, cast.reviewer)).item != other) is comes


def test_items_are_assigned_and_given_back(cast: Cast) -> None:
    new_item(cast)
    mine = new_item(cast)
    mine.exclusions.create(reviewer=cast.reviewer, why="skipped")
    action = run(cast, BulkKind.ASSIGN, cast.reviewer.id)
    assert outcomes(action) == [("changed", ""), ("skipped", "unable")]
    assert Assignment.objects.filter(assignee=cast.reviewer).count() == 1
    undo(cast, action)
    assert not Assignment.objects.filter(assignee__isnull=False).exists()


def test_running_and_undoing_twice_changes_nothing_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    for _ in range(5):
        new_item(cast)
    action = run(cast, BulkKind.PRIORITY, "first")
    assert sweep_bulk() == 0
    for _ in range(2):
        undo(cast, action)
    action.refresh_from_db()
    assert action.state == "undone"
    assert len(events("review.item.changed")) == 10
    assert [event["counts"] for event in (*events("review.bulk.started"), *events("review.bulk.undone"))] == [
        {"items": 5}
    ] * 2


def test_undoing_what_still_runs_leaves_the_rest(cast: Cast) -> None:
    new_item(cast)
    action = start(cast, BulkKind.PRIORITY, "first")
    undo(cast, action)
    assert outcomes(action) == [("skipped", "stopped")]


def test_more_than_the_cap_or_than_was_counted_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        new_item(cast)
    for wanted in ({"counted": 1}, {"reason": ""}, {"filters": {"state": "leads"}}):
        with pytest.raises(InvalidAnswer):
            start(cast, BulkKind.CANCEL, **wanted)
    monkeypatch.setattr(bulk, "MOST", 1)
    with pytest.raises(InvalidAnswer, match="More than 1 items"):
        start(cast, BulkKind.CANCEL)
    assert not BulkAction.objects.exists()


def test_a_lead_goes_through_it_without_javascript(cast: Cast, client: Client) -> None:
    new_item(cast)
    new_item(cast, review="sampled", verdict="allow", findings=[])
    client.force_login(cast.lead)
    address = reverse("review:bulk-new", args=[cast.project.slug])
    page = client.get(address, {"verdict": "hold"})
    assert "1 open item matches" in page.text
    form = {"query": "verdict=hold", "until": timezone.now().isoformat(), "counted": "1", "kind": "severity"}
    assert client.post(address, form).status_code == 422
    form |= {"severity": "4", "reason": "A flood <b>"}
    confirm = client.post(address, form)
    assert "Change 1 item" in confirm.text
    assert "A flood &lt;b&gt;" in confirm.text
    assert not BulkAction.objects.exists()
    done = client.post(address, form | {"confirmed": "1"}, follow=True)
    assert "1 to go" in done.text
    sweep_bulk()
    shown = done.redirect_chain[-1][0]
    assert "1 changed" in client.get(shown).text
    client.post(f"{shown}undo/")
    sweep_bulk()
    assert "1 as before" in client.get(shown).text
    client.force_login(cast.outsider)
    assert client.get(shown.replace("/p/acme/", "/p/other/")).status_code == 404
