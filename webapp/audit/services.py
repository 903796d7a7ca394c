"""Make reports; each is an event of the log it reports on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import translation

from webapp.accounts.models import Project
from webapp.audit.log import Actor, EventObject, record_event
from webapp.audit.models import AuditCheckpoint
from webapp.audit.report.document import Report
from webapp.audit.report.formats import FORMATS, Order
from webapp.audit.report.periods import Period, show_time
from webapp.audit.report.profiles import Profile
from webapp.audit.selectors import fresh_checkpoint
from webapp.ids import uuid7


@dataclass(frozen=True, slots=True)
class ReportFile:
    report: Report
    filename: str
    content_type: str
    sha256: str


def create_report(
    *,
    project: Project,
    profile: Profile,
    period: Period,
    format: str,
    actor: Actor,
    path: Path,
    checkpoint: AuditCheckpoint | None = None,
) -> ReportFile:
    """Write a report to `path` and record its digest; `format` is one of FORMATS.

    It covers the events up to `checkpoint`, by default a fresh one; the same period and checkpoint give the same
    bytes once the period is over. Raises AuditError.
    """
    content_type, write = FORMATS[format]
    order = Order(project, profile, period, checkpoint or fresh_checkpoint())
    with translation.override(settings.LANGUAGE_CODE):  # evidence reads the same whoever fetched it
        report = write(order, path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with transaction.atomic():
        record_event(
            type="report.created",
            project_id=project.id,
            actor=actor,
            object=EventObject("report", uuid7()),
            reason_codes=[
                f"sha256:{sha256}",
                f"profile:{profile.name}",
                f"format:{format}",
                f"since:{show_time(period.since)}",
                f"until:{show_time(period.until)}",
                f"checkpoint:{order.checkpoint.size}",
            ],
            counts={"events": report.events},
        )
    return ReportFile(report, f"{report.filename}.{format}", content_type, sha256)
