"""Make the files of an export: rows, card, manifest, and the event that says so."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from feedback.cards import card
from feedback.errors import ExportFailed, VersionChanged
from feedback.exporters.base import Exporter
from feedback.exporters.registry import exporter
from feedback.folders import MANIFEST, remove_leftovers, sha256_file, whole_folder
from feedback.freezing import actor_of
from feedback.jobs import Progress, Run
from feedback.models import DatasetVersion, Export
from feedback.records import SCHEMA
from feedback.selectors import member_pages
from feedback.writing import SplitFiles
from screening.sentences import Sentence, joined, say
from webapp.audit.log import EventObject, record_event
from webapp.audit.merkle import Frontier, leaf_hash

MANIFEST_SCHEMA = "export/1"


def standard_folder(version: DatasetVersion, format: str) -> Path:
    """Return where an export lies unless its user chose a folder."""
    dataset = version.dataset
    return settings.HOME / "exports" / dataset.project.slug / f"{dataset.slug}-v{version.version}" / format


def run_export(run: Run[Export]) -> Export:
    """Write the folder of a claimed export and finish it

    The same version and format give the same bytes. Raises ExportFailed, VersionChanged, RunLost, OSError.
    """
    export = run.job
    target = Path(export.path)
    refuse_foreign_folder(target)
    remove_leftovers(target)
    with whole_folder(target) as folder:
        manifest = _write(folder, export.version, exporter(export.format), run.progress)
    with transaction.atomic():
        run.finish(manifest=manifest)
        _record_made(export, sha256_file(target / MANIFEST))
    return export


def refuse_foreign_folder(target: Path) -> None:
    """Raise ExportFailed when `target` holds anything that is not an export: it would be replaced."""
    if target.is_dir() and any(target.iterdir()) and not _is_export(target / MANIFEST):
        raise ExportFailed(
            say("%(folder)s holds other files; name a folder that is empty or does not exist.", folder=str(target))
        )
    if target.exists() and not target.is_dir():
        raise ExportFailed(say("%(folder)s is a file; name a folder.", folder=str(target)))


def _is_export(manifest: Path) -> bool:
    try:
        return bool(json.loads(manifest.read_text())["schema"] == MANIFEST_SCHEMA)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(folder: Path, version: DatasetVersion, made_by: Exporter, tell: Progress) -> dict[str, Any]:
    slug = version.dataset.slug
    blind_only = made_by.measures and not version.filters.get("assistance")
    with SplitFiles(folder, made_by, dataset=slug, blind_only=blind_only) as files:
        _write_rows(files, version, tell)
        data_files = files.finish()
    if not data_files:
        raise ExportFailed(_why_empty(files))
    manifest = _manifest(version, made_by, files)
    texts = made_by.extra_files(dataset=slug, splits=list(data_files), words=files.words)
    texts["README.md"] = card(made_by, manifest=manifest, data_files=data_files)
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="\n")
    rows = {file["path"]: file["rows"] for files_of in data_files.values() for file in files_of}
    manifest["files"] = [_described(folder, path, rows.get(path)) for path in sorted([*rows, *texts])]
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def _write_rows(files: SplitFiles, version: DatasetVersion, tell: Progress) -> None:
    """Write every row and check on the way that they are what was frozen."""
    root = Frontier()
    for page in member_pages(version):
        for row in page:
            data = row.record.encode()
            root.append(leaf_hash(hashlib.sha256(data).digest()))
            files.add(json.loads(data))
        tell(root.size, version.rows)
    if root.root().hex() != version.digest:
        raise VersionChanged(
            say(
                "The stored rows of version %(version)s do not give its digest: they were changed after it was "
                "frozen. Nothing was exported; freeze a new version, and find out who changed the database.",
                version=version.version,
            )
        )


def _why_empty(files: SplitFiles) -> Sentence:
    # The reasons are in the catalogues: exporters mark them.
    reasons = [
        say("%(reason)s (%(number)s)", reason=say(reason), number=n) for reason, n in sorted(files.skipped.items())
    ]
    return say("No record of this version fits the format: %(reasons)s.", reasons=joined(reasons, "; "))


def _manifest(version: DatasetVersion, made_by: Exporter, files: SplitFiles) -> dict[str, Any]:
    """Return all but the files. No times in it: the same version gives the same manifest."""
    return {
        "schema": MANIFEST_SCHEMA,
        "format": made_by.identifier,
        "project": version.dataset.project.slug,
        "dataset": version.dataset.slug,
        "name": version.dataset.name,
        "version": version.version,
        "digest": version.digest,
        "records": version.rows,
        "record_schema": SCHEMA,
        "filters": version.filters,
        "purpose": version.dataset.purpose,
        "licence": version.dataset.licence,
        "rows": dict(sorted(files.rows.items())),
        "skipped": dict(sorted(files.skipped.items())),
        "assistance": dict(sorted(files.assistance.items())),
    }


def _described(folder: Path, path: str, rows: int | None) -> dict[str, Any]:
    place = folder / path
    return {"path": path, "rows": rows, "bytes": place.stat().st_size, "sha256": sha256_file(place)}


def _record_made(export: Export, manifest_sha256: str) -> None:
    files = export.manifest["files"]
    record_event(
        type="export.created",
        project_id=export.version.dataset.project_id,
        actor=actor_of(export.created_by),
        object=EventObject("export", export.id, rev=manifest_sha256),
        counts={
            "rows": sum(export.manifest["rows"].values()),
            "files": len(files),
            "bytes": sum(file["bytes"] for file in files),
        },
        reason_codes=[f"format:{export.format}"],
        cause=[str(export.version_id)],
    )
