"""What measures machines takes what people said before they saw the machine."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.errors import ExportFailed
from feedback.filters import Filters
from feedback.models import DatasetVersion
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from review.services import undo_decision
from tests.factories import Cast
from tests.feedback.deciding import decide, default_queue, words
from tests.review.working import answer, claim_one, member, new_item


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
