"""One run at a time for work that outlives a request.

A run claims its row by a conditional UPDATE and shows that it lives by progress. A run that shows nothing for
STALE_AFTER (its worker died) loses the row to the next one, and learns of that at its next progress: so a message
delivered twice does the work once, and a lost worker stops nobody.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone

from feedback.models import Job, JobState
from screening.sentences import Sentence
from webapp.sentences import as_parts

J = TypeVar("J", bound=Job)
#: Told how many steps are done, and of how many.
Progress = Callable[[int, int], None]

STALE_AFTER = dt.timedelta(minutes=3)
#: Progress is stored at most this often, in seconds.
PROGRESS_EVERY = 0.5


class RunLost(Exception):
    """Another run holds the work now; stop and change nothing more."""


class Run(Generic[J]):
    """A claim on a job; make one with `claim`."""

    def __init__(self, job: J, token: uuid.UUID, listener: Progress | None) -> None:
        self.job = job
        self._listener = listener
        self._token = token
        self._stored_at = 0.0

    def progress(self, done: int, total: int) -> None:
        """Store how far the work is and that it lives. Raises RunLost."""
        if self._listener:
            self._listener(done, total)
        now = time.monotonic()
        if done < total and now - self._stored_at < PROGRESS_EVERY:
            return
        self._stored_at = now
        self._update(done=done, total=total, beat_at=timezone.now())

    def finish(self, **fields: Any) -> None:
        """Mark the job done and set `fields` on it; call it in the transaction that makes them true. Raises RunLost."""
        self._update(state=JobState.DONE, run=None, error="", error_parts=None, **fields)

    def fail(self, error: Sentence) -> None:
        """Mark the job failed; `error` says what to do and quotes no text of a check."""
        self._update(state=JobState.FAILED, run=None, error=error[:300], error_parts=as_parts(error))

    def _update(self, **fields: Any) -> None:
        if not _rows(self.job).filter(run=self._token, state=JobState.RUNNING).update(**fields):
            raise RunLost
        for name, value in fields.items():
            setattr(self.job, name, value)


def claim(job: J, listener: Progress | None = None) -> Run[J] | None:
    """Take the job if it waits, or if its run is dead; None when it is done, failed or in good hands."""
    token, now = uuid.uuid4(), timezone.now()
    free = Q(state=JobState.PENDING) | Q(state=JobState.RUNNING, beat_at__lt=now - STALE_AFTER)
    if not _rows(job).filter(free).update(state=JobState.RUNNING, run=token, beat_at=now, done=0):
        return None
    job.refresh_from_db()
    return Run(job, token, listener)


def _rows(job: J) -> QuerySet[J]:
    return type(job)._default_manager.filter(pk=job.pk)
