"""What measures machines takes what people said before they saw the machine."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.errors import ExportFailed
from feedback.filters import Filters
from feedback.models import DatasetVersion
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from review.agreement.reading import Choice, independent_answers
from review.models import Queue
from review.page import ItemPage
from review.services import sweep_effects, undo_decision
from review.services.claims import release_slot
from tests.factories import Cast
from tests.feedback.deciding import decide, default_queue, words
from tests.review.working import another, answer, claim_one, effects_now, member, new_item


def blind_share(cast: Cast, rate: float) -> None:
    queue = default_queue(cast)
    queue.blind_rate = rate
    queue.save(update_fields=["blind_rate"])


def frozen(cast: Cast, *, assistance: tuple[str, ...] = ()) -> DatasetVersion:
    filters = Filters(assistance=assistance)
    return freeze_version(dataset=create_dataset(project=cast.project, slug="d", name="D", filters=filters))


def manifest(version: DatasetVersion, format: str) -> Any:
    return fill_export(open_export(version=version, format=format, created_by=None)).manifest


@pytest.fixture
def two(cast: Cast) -> None:
    """Decide one item blind and one that was not."""
    decide(cast, output=words(1), findings=[])
    blind_share(cast, 1.0)
    decide(cast, output=words(2), findings=[])


@pytest.mark.usefixtures("two")
def test_an_evaluation_export_takes_blind_answers_alone(cast: Cast) -> None:
    made = manifest(frozen(cast), "openai-evals")
    assert made["assistance"] == {"blind": 1}
    assert list(made["skipped"].values()) == [1]


@pytest.mark.usefixtures("two")
def test_a_dataset_that_chooses_what_they_saw_is_taken_at_its_word(cast: Cast) -> None:
    assert manifest(frozen(cast, assistance=("blind", "shown")), "openai-evals")["assistance"] == {
        "blind": 1,
        "shown": 1,
    }


@pytest.mark.usefixtures("two")
def test_other_formats_take_all_answers(cast: Cast) -> None:
    assert manifest(frozen(cast), "huggingface")["assistance"] == {"blind": 1, "shown": 1}


def test_without_blind_answers_it_says_why_there_is_nothing(cast: Cast) -> None:
    decide(cast, output=words(1), findings=[])
    with pytest.raises(ExportFailed, match="not given blind"):
        manifest(frozen(cast), "openai-evals")


def test_what_was_said_blind_is_measured_with_when_it_is_revised_after(
    cast: Cast, client: Client, tmp_path: Path
) -> None:
    blind_share(cast, 1.0)
    item = new_item(cast, output=words(4))
    Queue.objects.update(undo_seconds=600)
    client.force_login(cast.reviewer)
    page = client.post(reverse("review:work", args=[cast.project.slug, "default"]), follow=True).context["page"]
    blind = submit(cast, client, page, outcome="release", note="Fine.")
    page = client.post(blind["undo"]["url"], follow=True).context["page"]
    assert page.findings, "now the machine is shown"
    judged = {f"finding-{row.number}": "keep" for row in page.findings}
    assert submit(cast, client, page, outcome="block", note="A threat.", **judged)["status"] == "accepted"
    decision = item.decisions.standing().get()
    effects_now(decision)
    sweep_effects()
    version = frozen(cast)
    made = fill_export(open_export(version=version, format="openai-evals", created_by=None, path=tmp_path / "evals"))
    assert made.manifest["assistance"] == {"blind": 1}
    [line] = [json.loads(text) for path in tmp_path.rglob("*.jsonl") for text in path.read_text().splitlines()]
    assert (line["ideal"], line["metadata"]["outcome"]) == (item.checked.content.output, "release")
    record = json.loads(version.members.get().record)
    assert (record["outcome"], record["verdict"], record["assistance"]) == ("block", "violates", "after_commit")
    assert [said["outcome"] for said in record["blind"]["answers"]] == ["release"]
    assert record["blind"]["labels"] == {}, "of findings they said nothing"
    day = dt.timedelta(days=1)
    period = Choice(cast.project, timezone.now() - day, timezone.now() + day, blind=True)
    assert [answer.outcome for answer in independent_answers(period)] == ["release"]


def submit(cast: Cast, client: Client, page: ItemPage, **filled: str) -> Any:
    """Send the form of a page as its script does."""
    assert page.slot is not None
    fence = {"token": page.slot.lease_token, "version": page.item.version, "submission": page.submission}
    url = reverse("review:submit", args=[cast.project.slug, page.slot.id])
    return client.post(url, fence | filled, headers={"accept": "application/json"}).json()


def test_what_was_taken_back_and_left_to_others_is_not_taken(cast: Cast) -> None:
    blind_share(cast, 1.0)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    item = new_item(cast, output=words(5), findings=[])
    item.queue.undo_seconds = 10
    item.queue.save()
    done = answer(claim_one(cast, reviewer), reviewer, "release")
    assert done.decision is not None
    slot = undo_decision(decision=done.decision, membership=reviewer).slot
    assert slot is not None
    assert slot.lease_token is not None
    assert release_slot(slot=slot, user=cast.reviewer, lease_token=slot.lease_token)
    default_queue(cast)
    answer(claim_one(cast, second), second, "block")
    record = json.loads(frozen(cast).members.get().record)
    assert (record["assistance"], record["outcome"], record["blind"]) == ("blind", "block", None)
    assert len(record["answers"]) == 1


def test_an_answer_revised_after_the_commit_is_not_blind(cast: Cast) -> None:
    blind_share(cast, 1.0)
    reviewer = member(cast, cast.reviewer)
    item = new_item(cast, output=words(3), findings=[])
    item.queue.undo_seconds = 10
    item.queue.save()
    slot = claim_one(cast, reviewer)
    done = answer(slot, reviewer, "block")
    assert done.decision is not None
    undo_decision(decision=done.decision, membership=reviewer)
    slot.refresh_from_db()
    item.queue.undo_seconds = 0
    item.queue.save()
    answer(slot, reviewer, "release")
    assert manifest(frozen(cast), "huggingface")["assistance"] == {"after_commit": 1}
