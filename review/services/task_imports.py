"""Bring files of tasks in: look at one, start it, and let a sweep do the work. What is done twice is done once."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from review.errors import BadFile, ImportStopped, WorkersBusy
from review.label_studio.importing import GROUP, import_tasks
from review.label_studio.preview import as_rows, preview
from review.label_studio.reading import Given, pieces_of, read_piece
from review.models import Queue, TaskBatch, TaskImport
from review.models.imports import ImportState
from review.services.sweeping import sweep_each
from screening.sentences import say, sentence_of
from webapp.accounts.models import Application, Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event
from webapp.sentences import as_parts

#: How long a sweep works on one import before others get their turn with the worker.
TURN_SECONDS = 1.5
#: A file that nobody starts is forgotten, with its texts.
KEPT = dt.timedelta(days=1)


@transaction.atomic
def open_import(
    *, membership: Membership, queue: Queue, application: Application, policy: str, text_key: str, raw: bytes
) -> TaskImport:
    """Read a file and keep its tasks until somebody starts or discards the import. Raises BadFile."""
    found = TaskImport.objects.create(
        project=membership.project,
        queue=queue,
        application=application,
        policy=policy,
        text_key=text_key,
        total=0,
        created_by=membership.user,
        role=membership.role,
    )
    # A batch at a time: what a file is read into takes many times its size.
    found.preview = preview(_keep(found, raw), application=application)
    found.total = found.preview["tasks"]
    found.save(update_fields=["preview", "total"])
    return found


def _keep(found: TaskImport, raw: bytes) -> Iterator[Given]:
    """Store the tasks of a file as they stand there, and yield what each is read into."""
    batch: list[bytes] = []
    for number, piece in enumerate(pieces_of(raw), start=1):
        if len(batch) == GROUP:
            _store(found, batch, before=number)
            batch = []
        batch.append(piece)
        yield read_piece(number, piece, found.text_key, found.policy or None)
    _store(found, batch, before=number + 1)


def _store(found: TaskImport, pieces: list[bytes], *, before: int) -> None:
    tasks = b"[" + b",".join(pieces) + b"]"
    TaskBatch.objects.create(task_import=found, first=before - len(pieces), tasks=tasks)


@transaction.atomic
def start_import(*, task_import: TaskImport, membership: Membership) -> None:
    """Let the sweep import what was looked at, or go on where it stopped; twice is harmless. Raises BadFile."""
    found = TaskImport.objects.select_for_update().get(id=task_import.id)
    if found.state in (ImportState.RUNNING, ImportState.DONE):
        return
    if not found.batches.exists():
        raise BadFile(say("The tasks of this file are gone. Upload it again: what came in stays."))
    found.state, found.error, found.error_parts = ImportState.RUNNING, "", None
    found.created_by, found.role = membership.user, membership.role
    found.save(update_fields=["state", "error", "error_parts", "created_by", "role"])
    record_event(
        type="review.import.started",
        project_id=found.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("task_import", found.id),
        reason_codes=["format:label-studio"],
        counts={"tasks": found.total},
    )


@transaction.atomic
def discard_import(*, task_import: TaskImport) -> None:
    """Forget a file that was not started, and the rest of one that stopped; nothing else changes."""
    found = TaskImport.objects.select_for_update().get(id=task_import.id)
    if found.state == ImportState.LOOKED_AT:
        found.delete()
    elif found.state == ImportState.FAILED:
        found.batches.all().delete()


def sweep_imports() -> int:
    """Go on with the imports that are at work, and return how many tasks were brought in."""
    TaskImport.objects.filter(state=ImportState.LOOKED_AT, created_at__lt=timezone.now() - KEPT).delete()
    at_work = TaskImport.objects.filter(state=ImportState.RUNNING).order_by("created_at")
    return sweep_each(at_work.values_list("id", flat=True), _turn)


def _turn(key: uuid.UUID) -> int:
    done, until = 0, time.monotonic() + TURN_SECONDS
    while time.monotonic() < until:
        some = _step(key)
        if not some:
            break
        done += some
    return done


@transaction.atomic
def _step(key: uuid.UUID) -> int:
    """Import the next batch and return how many tasks it had; 0 when there is nothing to do now.

    The batch goes in the transaction that brings its tasks in: a worker that dies leaves it for the next one.
    """
    found = (
        TaskImport.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("queue__project", "application__project", "created_by")
        .filter(id=key, state=ImportState.RUNNING)
        .first()
    )
    if found is None:
        return 0
    batch = found.batches.order_by("first").first()
    if batch is None:
        found.state, found.finished_at = ImportState.DONE, timezone.now()
        found.save(update_fields=["state", "finished_at"])
        return 0
    try:
        with transaction.atomic():
            return _bring_in(found, batch)
    except WorkersBusy:
        return 0  # the next sweep tries again
    except (BadFile, ImportStopped) as stopped:
        why = sentence_of(stopped)
        found.state, found.error, found.error_parts = ImportState.FAILED, why[:300], as_parts(why)
        found.save(update_fields=["state", "error", "error_parts"])
        return 0


def _bring_in(found: TaskImport, batch: TaskBatch) -> int:
    given = [
        read_piece(number, piece, found.text_key, found.policy or None)
        for number, piece in enumerate(pieces_of(bytes(batch.tasks)), start=batch.first)
    ]
    report = import_tasks(
        given,
        application=found.application,
        queue=found.queue,
        actor=user_actor(found.created_by, found.role),
        tries=1,
    )
    batch.delete()
    found.done += len(given)
    found.made += report.made
    found.again += report.again
    found.labels += report.labels
    found.answers += report.answers
    found.left_out = as_rows(report.left_out, found.left_out)
    found.save(update_fields=["done", "made", "again", "labels", "answers", "left_out"])
    return len(given)
