"""Tasks of the control workers."""

from __future__ import annotations

import uuid

from celery import shared_task

from feedback import services
from feedback.models import DatasetVersion, Export
from feedback.selectors import abandoned


@shared_task(name="feedback.freeze_version", queue="control", ignore_result=True)
def freeze_version(version_id: str) -> None:
    """Freeze a version; a second delivery finds it done, or in good hands."""
    version = DatasetVersion.objects.select_related("dataset__project", "created_by").get(pk=uuid.UUID(version_id))
    services.fill_version(version)


@shared_task(name="feedback.export_version", queue="control", ignore_result=True)
def export_version(export_id: str) -> None:
    """Write an export; a second delivery finds it done, or in good hands."""
    export = Export.objects.select_related("version__dataset__project", "created_by").get(pk=uuid.UUID(export_id))
    services.fill_export(export)


@shared_task(name="feedback.resume", queue="control", ignore_result=True)
def resume() -> None:
    """Send again what nobody works on: its message was lost with Redis, or its worker died."""
    for version in abandoned(DatasetVersion.objects.all()):
        freeze_version.delay(str(version.pk))
    for export in abandoned(Export.objects.all()):
        export_version.delay(str(export.pk))
