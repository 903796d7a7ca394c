"""Leads take the items of a filtered list to Label Studio, and bring what was said there back."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

from django.http import StreamingHttpResponse
from django.test import Client

from review.label_studio.reading import read_tasks
from review.models import ReviewItem
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item, queue_of

EXPORT = "/p/acme/review/items/export/"


def taken(cast: Cast, client: Client, query: str = "") -> zipfile.ZipFile:
    client.force_login(cast.lead)
    answered = client.post(EXPORT, {"query": query})
    assert isinstance(answered, StreamingHttpResponse)
    assert answered["Content-Type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answered.getvalue()))


def tasks_in(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read("tasks.json"))
    return found


def test_what_the_filter_matches_leaves_with_what_was_decided(cast: Cast, client: Client) -> None:
    queue_of(cast, undo_seconds=0)
    reviewer = member(cast, cast.reviewer)
    decided = new_item(cast)
    answer(claim_one(cast, reviewer), reviewer, "redact", labels={"harassment": True})
    waiting = new_item(cast, output="Another one at ann@example.com.")
    new_item(cast, output=None, findings=[])

    archive = taken(cast, client)

    by_item = {task["data"]["countersign_item"]: task for task in tasks_in(archive)}
    assert set(by_item) == {decided.public_id, waiting.public_id}
    assert by_item[waiting.public_id]["annotations"] == []
    assert by_item[waiting.public_id]["predictions"][0]["model_version"] == "support-bot 1"
    (annotation,) = by_item[decided.public_id]["annotations"]
    said = {result["from_name"]: result["value"] for result in annotation["result"]}
    assert said["outcome"]["choices"] == ["redact"]
    assert said["verdict"]["choices"] == ["violates"]
    assert said["categories"]["choices"] == ["harassment"]
    assert said["spans"]["text"] == "ann@example.com"
    config = ET.fromstring(archive.read("label_config.xml"))  # noqa: S314 - our own file
    assert "harassment" in {choice.get("value") for choice in config.iter("Choice")}
    assert [len(given.labels.found) for given in read_tasks(archive.read("tasks.json"))] in ([2, 0], [0, 2])
    (event,) = events("review.items.exported")
    assert (event["counts"], event["actor"]["role"]) == ({"rows": 2}, "lead")

    only = tasks_in(taken(cast, client, "state=open"))
    assert [task["data"]["countersign_item"] for task in only] == [waiting.public_id]
    assert events("review.items.exported")[1]["reason_codes"] == ["filter:state", "format:label-studio"]


def test_a_decision_that_can_be_taken_back_does_not_leave(cast: Cast, client: Client) -> None:
    reviewer = member(cast, cast.reviewer)
    new_item(cast)
    answer(claim_one(cast, reviewer), reviewer, "block")

    (task,) = tasks_in(taken(cast, client))

    assert task["annotations"] == []


def test_blind_items_leave_without_what_was_found(cast: Cast, client: Client) -> None:
    new_item(cast)
    ReviewItem.objects.update(blind=True)

    (task,) = tasks_in(taken(cast, client))

    assert task["predictions"] == []


def test_nothing_and_a_wrong_filter_are_refused_on_the_list(cast: Cast, client: Client) -> None:
    new_item(cast)
    client.force_login(cast.lead)
    for query, said in (("state=cancelled", "No item with an output matches."), ("state=x", "filters is not right")):
        answered = client.post(EXPORT, {"query": query}, follow=True)
        assert said in answered.content.decode()
    assert not events("review.items.exported")


def test_the_list_warns_before_texts_leave_and_offers_it_to_leads_alone(cast: Cast, client: Client) -> None:
    new_item(cast)
    for user, offered in ((cast.lead, True), (cast.reviewer, False), (cast.compliance, False)):
        client.force_login(user)
        page = client.get("/p/acme/review/items/").content.decode()
        assert (EXPORT in page) == offered
        assert ("with all private data in them" in page) == offered
