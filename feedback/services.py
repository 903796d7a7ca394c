"""Changes of datasets, versions and exports; each with its audit event in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from feedback import jobs
from feedback.errors import DatasetError, NothingDecided
from feedback.exporters.registry import exporter
from feedback.exporting import run_export, standard_folder
from feedback.filters import Filters
from feedback.freezing import freeze
from feedback.models import LIVE_STATES, Dataset, DatasetVersion, Export, JobState
from feedback.selectors import decided_items
from screening.sentences import Sentence, say, sentence_of
from webapp.accounts.models import Project, User
from webapp.audit.log import Actor, EventObject, record_event


def create_dataset(
    *, project: Project, slug: str, name: str, filters: Filters, purpose: str = "", licence: str = ""
) -> Dataset:
    """Store a dataset; raise DatasetError when the project has one of this slug."""
    dataset, created = Dataset.objects.get_or_create(
        project=project,
        slug=slug,
        defaults={"name": name, "filters": filters.as_json(), "purpose": purpose, "licence": licence},
    )
    if not created:
        raise DatasetError(say("This project has a dataset '%(slug)s' already; choose another short name.", slug=slug))
    return dataset


@transaction.atomic
def open_version(*, dataset: Dataset, filters: Filters | None = None, created_by: User | None) -> DatasetVersion:
    """Return a version that waits to be frozen, with the dataset's filters unless others are given.

    While one is being frozen, that one is returned. Raises NothingDecided when no item fits.
    """
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    if live := dataset.versions.filter(state__in=LIVE_STATES).first():
        return live
    filters = Filters.from_json(dataset.filters) if filters is None else filters
    if not decided_items(project=dataset.project, filters=filters, before=timezone.now()).exists():
        raise NothingDecided(
            say(
                "No decided item fits these filters. Decide items in review first, or widen the filters; "
                "a decision counts once its time to undo is over."
            )
        )
    newest = dataset.versions.aggregate(n=Max("version"))["n"] or 0
    return DatasetVersion.objects.create(
        dataset=dataset, version=newest + 1, filters=filters.as_json(), created_by=created_by
    )


def fill_version(version: DatasetVersion, *, progress: jobs.Progress | None = None) -> DatasetVersion:
    """Freeze a version that `open_version` made; do nothing when that is done or another run is at it."""
    run = jobs.claim(version, progress)
    if run is None:
        version.refresh_from_db()
        return version
    return _kept_honest(run, lambda: freeze(run))


def freeze_version(
    *,
    dataset: Dataset,
    filters: Filters | None = None,
    created_by: User | None = None,
    progress: jobs.Progress | None = None,
) -> DatasetVersion:
    """Open and freeze a version at once. The same decided items give the same digest."""
    version = open_version(dataset=dataset, filters=filters, created_by=created_by)
    return fill_version(version, progress=progress)


@transaction.atomic
def open_export(*, version: DatasetVersion, format: str, created_by: User | None, path: Path | None = None) -> Export:
    """Return an export that waits to be written; the one under way, if there is one.

    `path`: the folder to write; None for the standard one. Raises DatasetError for a version that is not frozen and
    for an unknown format.
    """
    exporter(format)
    if version.state != JobState.DONE:
        raise DatasetError(say("Version %(version)s is not frozen; freeze it first.", version=version.version))
    folder = str(path or standard_folder(version, format))
    DatasetVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    live = version.exports.filter(format=format, state__in=LIVE_STATES).first()
    if live and live.path != folder:
        raise DatasetError(
            say(
                "This version is being exported as %(format)s to %(path)s; wait for that, then try again.",
                format=format,
                path=live.path,
            )
        )
    return live or Export.objects.create(version=version, format=format, path=folder, created_by=created_by)


def fill_export(export: Export, *, progress: jobs.Progress | None = None) -> Export:
    """Write an export that `open_export` made; do nothing when that is done or another run is at it."""
    run = jobs.claim(export, progress)
    if run is None:
        export.refresh_from_db()
        return export
    return _kept_honest(run, lambda: run_export(run))


@transaction.atomic
def record_download(*, export: Export, actor: Actor) -> None:
    record_event(
        type="export.downloaded",
        project_id=export.version.dataset.project_id,
        actor=actor,
        object=EventObject("export", export.id),
        counts={"rows": sum(file["rows"] or 0 for file in export.manifest["files"])},
        reason_codes=[f"format:{export.format}"],
    )


@transaction.atomic
def record_sample_view(*, version: DatasetVersion, rows: int, actor: Actor) -> None:
    record_event(
        type="content.viewed",
        project_id=version.dataset.project_id,
        actor=actor,
        object=EventObject("dataset_version", version.id, rev=version.digest),
        counts={"rows": rows},
    )


def _kept_honest(run: jobs.Run[jobs.J], work: Callable[[], jobs.J]) -> jobs.J:
    """Do the work; when it fails, say so on the job before the error goes on."""
    try:
        return work()
    except jobs.RunLost:
        run.job.refresh_from_db()
        return run.job
    except Exception as error:
        # Whatever it was, the job must not look alive. The error goes on to the caller and its log.
        with suppress(jobs.RunLost):
            run.fail(_explain(error))
        raise


def _explain(error: Exception) -> Sentence:
    if isinstance(error, DatasetError):
        return sentence_of(error)
    if isinstance(error, OSError):
        return say(
            "The files could not be written: %(reason)s. Make room or mend the folder, then try again.",
            reason=error.strerror,
        )
    # Only the kind: messages of databases and parsers quote texts.
    return say(
        "It failed with %(kind)s; the log of the control worker says where. Then try again.",
        kind=type(error).__name__,
    )
