"""Leads make and change queues."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from review.forms import NewQueueForm, QueueForm
from review.models import Assignment, LabelSchemaVersion, Queue
from review.services import claim_items, ensure_default_queue
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item, queue_of

SETTINGS: dict[str, Any] = {
    "name": "Threats",
    "required_reviews": 2,
    "max_reviews": 4,
    "consensus_threshold": 0.75,
    "lease_seconds": 240,
    "prefetch_lease_seconds": 60,
    "sla_seconds": 900,
    "undo_seconds": 20,
    "blind_rate": 0.2,
    "overlap_rate": 0,
    "golden_rate": 0,
    "golden_pass_mark": 0.8,
    "golden_window": 10,
    "qa_rate": 0.05,
    "skip_reasons": "unclear\n\n  wrong language \n",
}


def new_url(cast: Cast) -> str:
    return reverse("review:queue-new", args=[cast.project.slug])


def edit_url(cast: Cast, slug: str = "default") -> str:
    return reverse("review:queue-edit", args=[cast.project.slug, slug])


def filled(client: Client, url: str, **changes: Any) -> dict[str, Any]:
    """Return what the form at `url` would send, with `changes`; a field that is None is left out."""
    form = client.get(url).context["form"]
    sent = {field.html_name: field.value() for field in form} | changes
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def test_a_lead_makes_a_queue_with_all_its_settings(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    response = client.post(new_url(cast), SETTINGS | {"slug": "threats"}, follow=True)
    queue = Queue.objects.get(project=cast.project)
    assert "The queue Threats is made." in response.text
    assert (queue.slug, queue.required_reviews, queue.max_reviews, queue.sla_seconds) == ("threats", 2, 4, 900)
    assert (queue.consensus_threshold, queue.lease_seconds, queue.prefetch_lease_seconds) == (0.75, 240, 60)
    assert queue.undo_seconds == 20
    assert queue.skip_reasons == ["unclear", "wrong language"]
    assert str(queue.label_schema) == "default v1"
    [event] = events("review.queue.created")
    assert (event["actor"]["ref"], event["object"]["id"]) == (str(cast.lead.id), str(queue.id))
    assert event["counts"]["consensus_threshold_permille"] == 750


def test_the_page_asks_for_every_setting_once(cast: Cast) -> None:
    queue = ensure_default_queue(project=cast.project)
    for form in (QueueForm(project=cast.project, queue=queue), NewQueueForm(project=cast.project)):
        asked = [field.name for _, fields in form.groups for field in fields]
        assert sorted(asked) == sorted(field.name for field in form.visible_fields())


def test_a_slug_that_is_taken_is_refused_with_what_to_do(cast: Cast, client: Client) -> None:
    ensure_default_queue(project=cast.project)
    client.force_login(cast.owner)
    sent = filled(client, new_url(cast), slug="default", name="x", label_schema=LabelSchemaVersion.objects.get().pk)
    response = client.post(new_url(cast), sent)
    assert response.status_code == 409
    assert "Choose another one." in response.text
    assert not events("review.queue.created")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("max_reviews", "1", "Give at least 2, the number of required reviews."),
        ("prefetch_lease_seconds", "900", "Give at most 240, the lease of the item on screen."),
        ("consensus_threshold", "1.5", "less than or equal to 1"),
        ("consensus_threshold", "nan", "Enter a number."),
        ("lease_seconds", "5", "greater than or equal to 30"),
        ("sla_seconds", "9" * 30, "less than or equal to"),
        ("slug", "no spaces", "Enter a valid"),
        ("name", "nul\0", "Null characters are not allowed."),
        ("skip_reasons", " \n ", "This field is required."),
        ("skip_reasons", "a\na", "Two of the reasons are the same"),
        ("skip_reasons", "\n".join("abcdefghij"), "Give 1 to 9 reasons"),
        ("skip_reasons", "x" * 101, "at most 100 characters"),
    ],
)
def test_a_setting_that_can_not_be_is_refused_with_what_to_do(
    cast: Cast, client: Client, field: str, value: str, says: str
) -> None:
    client.force_login(cast.lead)
    response = client.post(new_url(cast), SETTINGS | {"slug": "threats", field: value})
    assert response.status_code == 400
    assert says in response.text
    assert not Queue.objects.exists()


def test_a_change_is_recorded_by_the_names_of_fields_and_numbers(cast: Cast, client: Client) -> None:
    queue_of(cast)
    client.force_login(cast.lead)
    changes = {"name": "Secret name", "sla_seconds": 60, "skip_reasons": "a secret reason"}
    response = client.post(edit_url(cast), filled(client, edit_url(cast), **changes), follow=True)
    assert "Saved." in response.text
    [event] = events("review.queue.changed")
    assert event["reason_codes"] == ["field:name", "field:skip_reasons", "field:sla_seconds"]
    counts = {"sla_seconds": 60, "sla_seconds_was": 3600, "skip_reasons": 1, "skip_reasons_was": 4}
    assert event["counts"] == counts
    assert (event["actor"]["ref"], event["object"]["rev"]) == (str(cast.lead.id), "2")
    assert "ecret" not in str(event)


def test_saving_what_is_there_already_changes_and_records_nothing(cast: Cast, client: Client) -> None:
    queue_of(cast)
    client.force_login(cast.lead)
    assert "Nothing was different." in client.post(edit_url(cast), filled(client, edit_url(cast)), follow=True).text
    assert Queue.objects.get().version == 1
    assert not events("review.queue.changed")


def test_the_second_of_two_leads_is_told_and_decides(cast: Cast, client: Client) -> None:
    queue_of(cast)
    client.force_login(cast.lead)
    theirs = filled(client, edit_url(cast), sla_seconds=600)
    mine = filled(client, edit_url(cast), sla_seconds=900, name="Mine")
    client.post(edit_url(cast), theirs)
    response = client.post(edit_url(cast), mine)
    assert response.status_code == 409
    assert "Another lead changed this queue" in response.text
    assert ("Due after seconds", "600") in response.context["conflicts"]
    assert Queue.objects.get().sla_seconds == 600
    again = filled(client, edit_url(cast)) | {f.html_name: f.value() for f in response.context["form"]}
    assert client.post(edit_url(cast), {k: v for k, v in again.items() if v not in (None, False)}).status_code == 302
    assert (Queue.objects.get().sla_seconds, Queue.objects.get().name) == (900, "Mine")


def test_a_schema_of_another_project_is_no_choice(cast: Cast, client: Client) -> None:
    queue_of(cast)
    foreign = ensure_default_queue(project=cast.other_project).label_schema
    client.force_login(cast.lead)
    response = client.post(edit_url(cast), filled(client, edit_url(cast), label_schema=foreign.pk))
    assert response.status_code == 400
    assert Queue.objects.get(project=cast.project).label_schema_id != foreign.pk


def test_an_item_on_a_screen_is_shown_again_after_a_change_of_schema(cast: Cast, client: Client) -> None:
    on_screen, waiting = new_item(cast), new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    if slot.item_id != on_screen.id:
        on_screen, waiting = waiting, on_screen
    schema = queue_of(cast).label_schema.schema
    second = schema.versions.create(version=2, definition={"categories": ["spam"], "rationale_snippets": []})
    client.force_login(cast.lead)
    client.post(edit_url(cast), filled(client, edit_url(cast), label_schema=second.pk))
    on_screen.refresh_from_db()
    waiting.refresh_from_db()
    assert (on_screen.version, waiting.version) == (2, 1)


def test_a_paused_queue_gives_out_nothing_and_takes_what_is_held(cast: Cast, client: Client) -> None:
    new_item(cast), new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    client.force_login(cast.lead)
    client.post(edit_url(cast), filled(client, edit_url(cast), paused="on"))
    assert Queue.objects.get().paused
    assert [held.id for held in claim_items(queue=Queue.objects.get(), membership=reviewer)] == [slot.id]
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:item", args=[cast.project.slug, slot.item.public_id])).text
    assert "<li data-paused><span" in page
    beat = reverse("review:heartbeat", args=[cast.project.slug, slot.id])
    assert client.post(beat, {"token": str(slot.lease_token)}).json()["paused"] is True
    assert client.post(reverse("review:ahead", args=[cast.project.slug, "default"])).json()["paused"] is True
    assert answer(slot, reviewer).annotation.counts
    assert claim_items(queue=Queue.objects.get(), membership=reviewer) == []
    work = client.post(reverse("review:work", args=[cast.project.slug, "default"]), follow=True)
    assert "A lead paused this queue" in work.text


def test_who_holds_an_item_of_a_paused_queue_can_go_on(cast: Cast, client: Client) -> None:
    new_item(cast)
    claim_one(cast, member(cast, cast.reviewer))
    queue_of(cast, paused=True)
    client.force_login(cast.reviewer)
    listed = client.get(reverse("review:queues", args=[cast.project.slug])).text
    assert "disabled" not in listed
    assert Assignment.objects.filter(lease_owner=cast.reviewer, state="leased").count() == 1


def test_reviewers_are_offered_no_pages_of_leads(cast: Cast, client: Client) -> None:
    queue_of(cast)
    links = {}
    for name in ("reviewer", "lead"):
        client.force_login(getattr(cast, name))
        links[name] = edit_url(cast) in client.get(reverse("review:queues", args=[cast.project.slug])).text
    assert links == {"reviewer": False, "lead": True}
