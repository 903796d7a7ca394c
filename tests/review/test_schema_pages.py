"""Leads store versions of label schemas, and the console offers what the queue's version says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from review.definition import Definition, RubricField
from review.errors import InvalidAnswer
from review.models import Annotation, LabelSchemaVersion, Queue
from review.services import add_schema_version, create_schema, ensure_default_queue
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item, queue_of

TONE = Definition(
    categories=["spam", "scam"],
    rationale_snippets=["Sells something.", "Quoted."],
    outcomes=["release", "block"],
    rubric=[RubricField("tone", 3)],
    hotkeys={"1": "scam", "2": "Quoted."},
)
FORM: dict[str, Any] = {
    "categories": "spam\n scam \n\n",
    "rationale_snippets": "Sells something.\r\nQuoted.",
    "rubric": "tone: 3",
    "hotkeys": "2: Quoted.\n1 : scam",
}


def url(cast: Cast, name: str, *args: str) -> str:
    return reverse(f"review:{name}", args=[cast.project.slug, *args])


def use(cast: Cast, definition: Definition = TONE) -> LabelSchemaVersion:
    """Store a schema and let the default queue use it."""
    version = create_schema(
        project=cast.project, name="tone", definition=definition, membership=member(cast, cast.lead)
    )
    queue_of(cast, label_schema=version)
    return version


def test_a_lead_makes_a_schema(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    page = client.post(url(cast, "schema-new"), FORM | {"name": "tone"}, follow=True)
    assert "tone v1 is stored." in page.text
    version = LabelSchemaVersion.objects.get()
    assert version.definition == TONE.as_json()
    [event] = events("review.schema.version.created")
    counts = {"version": 1, "categories": 2, "rationale_snippets": 2, "outcomes": 2, "rubric": 1, "hotkeys": 2}
    assert (event["counts"], event["object"]["id"]) == (counts, str(version.id))


def test_a_name_that_is_taken_is_refused(cast: Cast, client: Client) -> None:
    ensure_default_queue(project=cast.project)
    client.force_login(cast.lead)
    page = client.post(url(cast, "schema-new"), FORM | {"name": "default"})
    assert (page.status_code, LabelSchemaVersion.objects.count()) == (409, 1)
    assert "Choose another one." in page.text


def test_editing_makes_a_version_and_leaves_the_one_in_use(cast: Cast, client: Client) -> None:
    first = use(cast)
    client.force_login(cast.lead)
    form = client.get(url(cast, "schema-edit", "tone")).context["form"]
    sent = {field.html_name: field.value() for field in form} | {"categories": "spam", "hotkeys": ""}
    client.post(url(cast, "schema-edit", "tone"), sent)
    second = LabelSchemaVersion.objects.get(schema=first.schema, version=2)
    assert second.definition == TONE.as_json() | {"categories": ["spam"], "hotkeys": {}}
    first.refresh_from_db()
    assert first.definition == TONE.as_json()
    assert Queue.objects.get().label_schema == first
    page = client.get(url(cast, "schemas"))
    assert "used by All outputs" in page.text


def test_storing_what_is_there_already_makes_no_version(cast: Cast, client: Client) -> None:
    use(cast)
    client.force_login(cast.lead)
    page = client.post(url(cast, "schema-edit", "tone"), FORM | {"based_on": "1"}, follow=True)
    assert "Nothing was different" in page.text
    assert LabelSchemaVersion.objects.filter(schema__name="tone").count() == 1


def test_the_second_of_two_leads_is_told_and_may_store_theirs(cast: Cast, client: Client) -> None:
    version = use(cast)
    other = Definition(["other"], [], ["release", "block"], [])
    add_schema_version(schema=version.schema, based_on=1, definition=other, membership=member(cast, cast.owner))
    client.force_login(cast.lead)
    page = client.post(url(cast, "schema-edit", "tone"), FORM | {"based_on": "1"})
    assert page.status_code == 409
    assert "Another lead stored version 2" in page.text
    assert page.context["form"]["based_on"].value() == "2"
    assert client.post(url(cast, "schema-edit", "tone"), FORM | {"based_on": "2"}).status_code == 302
    assert version.schema.versions.latest("version").version == 3


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("categories", "", "This field is required."),
        ("categories", "a\na", "Two of the names are the same"),
        ("categories", "<script>", "Rename “&lt;script&gt;”"),
        ("categories", "x" * 61, "Rename"),
        ("categories", "\n".join(str(n) for n in range(61)), "Give 1 to 60 categories"),
        ("rubric", "tone", "End every line with a colon"),
        ("rubric", "tone: 11", "End every line with a colon"),
        ("rubric", "tone: ²", "End every line with a colon"),
        ("rubric", ": 5", "a name has letters"),
        ("rubric", "\n".join(f"q{n}: 5" for n in range(9)), "at most 8 questions"),
        ("rationale_snippets", "a\na", "Two of the sentences are the same"),
        ("rationale_snippets", "x" * 301, "at most 300 characters"),
        ("hotkeys", "scam", "Begin every line with another of the keys 1 to 9"),
        ("hotkeys", "0: scam", "Begin every line with another of the keys 1 to 9"),
        ("hotkeys", "1: scam\n1: spam", "Begin every line with another of the keys 1 to 9"),
        ("hotkeys", "1: scam\n2: scam", "“scam” is none of the categories and sentences, or has a key already."),
        ("hotkeys", "1: other", "“other” is none of the categories and sentences, or has a key already."),
        ("outcomes", "explode", "Select a valid choice"),
        ("name", "no spaces", "Enter a valid"),
    ],
)
def test_what_can_not_be_is_refused_with_what_to_do(
    cast: Cast, client: Client, field: str, value: str, says: str
) -> None:
    client.force_login(cast.lead)
    page = client.post(url(cast, "schema-new"), FORM | {"name": "tone", field: value})
    assert page.status_code == 400
    assert says in page.text
    assert not LabelSchemaVersion.objects.exists()


def test_the_console_offers_what_the_version_says_and_names_it(cast: Cast, client: Client) -> None:
    use(cast)
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    page = client.get(url(cast, "item", slot.item.public_id)).text
    assert "labels tone v1" in page
    offered = {name: f'name="outcome" value="{name}"' in page for name in ("release", "redact", "replace", "block")}
    assert offered == {"release": True, "redact": False, "replace": False, "block": True}
    assert 'name="label-scam"' in page
    assert 'name="rubric-tone" value="3"' in page
    assert 'name="snippet" value="Quoted."' in page


def test_ticks_and_numbers_are_stored_and_a_refused_form_keeps_them(cast: Cast, client: Client) -> None:
    use(cast)
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    form = {
        "token": str(slot.lease_token),
        "version": "1",
        "submission": str(uuid.uuid4()),
        "rubric-tone": "2",
        "snippet": ["Quoted."],
        "note": "Look.",
    }
    again = client.post(url(cast, "submit", str(slot.id)), form)
    assert again.status_code == 422
    assert 'value="Quoted." checked' in again.text
    assert 'name="rubric-tone" value="2" checked' in again.text
    client.post(url(cast, "submit", str(slot.id)), form | {"outcome": "block"})
    stored = Annotation.objects.get()
    assert (stored.rubric, stored.rationale) == ({"tone": 2}, "Quoted.\nLook.")


@pytest.mark.parametrize(
    ("outcome", "fields"),
    [
        ("redact", {}),
        ("", {}),
        ("release", {"rubric": {"tone": 4}}),
        ("release", {"rubric": {"tone": 0}}),
        ("release", {"rubric": {"mood": 1}}),
        ("release", {"snippets": ["Not offered."]}),
        ("release", {"snippets": ["Quoted."], "note": "x" * 10_000}),
        ("release", {"labels": {"harassment": True}}),
    ],
)
def test_an_answer_that_the_version_does_not_offer_is_refused(cast: Cast, outcome: str, fields: dict[str, Any]) -> None:
    use(cast)
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    with pytest.raises(InvalidAnswer):
        answer(slot, reviewer, outcome, **fields)
    assert not Annotation.objects.exists()


def test_the_list_takes_as_many_queries_for_many_versions(
    cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    schema = use(cast).schema
    for number in range(2, 8):
        schema.versions.create(version=number, definition=TONE.as_json())
    client.force_login(cast.lead)
    with django_assert_num_queries(5):
        client.get(url(cast, "schemas"))
