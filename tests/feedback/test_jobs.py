"""Work that a worker can lose, and a message that can come twice."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from feedback import jobs, tasks
from feedback.filters import Filters
from feedback.models import DatasetVersion
from feedback.services import create_dataset, fill_version, open_export, open_version
from tests.factories import Cast
from tests.feedback.deciding import decide_one


@pytest.fixture
def waiting(cast: Cast) -> DatasetVersion:
    decide_one(cast, "redact", "a", number=1)
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=Filters())
    return open_version(dataset=dataset, created_by=cast.owner)


def test_one_run_at_a_time_holds_the_work(waiting: DatasetVersion) -> None:
    assert jobs.claim(waiting) is not None
    assert jobs.claim(waiting) is None
    assert fill_version(waiting).state == "running"


def test_a_dead_run_loses_the_work_and_learns_of_it(waiting: DatasetVersion) -> None:
    dead = jobs.claim(waiting)
    assert dead is not None
    DatasetVersion.objects.update(beat_at=timezone.now() - jobs.STALE_AFTER - dt.timedelta(seconds=1))

    done = fill_version(DatasetVersion.objects.get())

    assert (done.state, done.rows) == ("done", 1)
    with pytest.raises(jobs.RunLost):
        dead.progress(1, 2)
    with pytest.raises(jobs.RunLost):
        dead.finish()


def test_a_run_after_a_dead_one_starts_from_nothing(waiting: DatasetVersion) -> None:
    waiting.members.create(index=0, item_id=waiting.id, group_key="", split="train", record="{}", sha256="")

    assert fill_version(waiting).rows == 1
    assert waiting.members.count() == 1


def test_tasks_are_safe_to_run_twice(waiting: DatasetVersion) -> None:
    for _ in range(2):
        tasks.freeze_version(str(waiting.pk))
    waiting.refresh_from_db()
    export = open_export(version=waiting, format="huggingface", created_by=None)
    for _ in range(2):
        tasks.export_version(str(export.pk))

    export.refresh_from_db()
    assert (waiting.state, export.state) == ("done", "done")
    assert (export.done, export.total) == (1, 1)


def test_what_nobody_works_on_is_sent_again(waiting: DatasetVersion, monkeypatch: Any) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.freeze_version, "delay", sent.append)

    tasks.resume()
    assert sent == []
    DatasetVersion.objects.update(created_at=timezone.now() - dt.timedelta(hours=1))
    tasks.resume()
    assert sent == [str(waiting.pk)]


def test_a_second_freeze_while_one_waits_is_the_same(waiting: DatasetVersion) -> None:
    assert open_version(dataset=waiting.dataset, created_by=None) == waiting
