"""The log's housekeeping, sent by the beat of the control workers."""

from __future__ import annotations

import logging

from celery import shared_task

from webapp.audit.checkpoints import checkpoint_due, make_checkpoint
from webapp.audit.errors import AuditError
from webapp.audit.sequencer import sequence_log

log = logging.getLogger(__name__)
#: Bounds one run, so that a long backlog does not hold a worker; the next run goes on.
MAX_BATCHES = 100


@shared_task(name="audit.sequence", queue="control", ignore_result=True)
def sequence() -> None:
    """Append waiting events to the log and sign it when that is due."""
    sequence_log(wait=False, max_batches=MAX_BATCHES)
    if not checkpoint_due():
        return
    try:
        make_checkpoint()
    except AuditError as error:
        # Events go on being appended; what is wrong is for an operator to see, on every run until it is mended.
        log.error("audit checkpoint: %s", error)
