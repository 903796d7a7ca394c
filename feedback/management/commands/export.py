"""`manage.py export`: the files of a frozen version in one format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.commands import bar, find_project
from feedback.errors import DatasetError
from feedback.exporters.registry import EXPORTERS
from feedback.models import Dataset, DatasetVersion, JobState
from feedback.selectors import newest_version
from feedback.services import fill_export, open_export
from webapp.accounts.models import Project


class Command(BaseCommand):
    help = "Export a frozen version of a dataset."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django has a --version of its own, which would print Django's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="short name of the project")
        parser.add_argument("--dataset", required=True, help="short name of the dataset")
        parser.add_argument("--format", required=True, choices=list(EXPORTERS))
        parser.add_argument("--out", type=Path, help="folder for the files; $COUNTERSIGN_HOME/exports/... if not given")
        parser.add_argument("--version", type=int, help="number of the version; the newest if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        version = find_version(project, options["dataset"], options["version"])
        out: Path | None = options["out"]
        try:
            export = open_export(
                version=version, format=options["format"], created_by=None, path=out.absolute() if out else None
            )
            with bar("exporting", "row") as progress:
                export = fill_export(export, progress=progress)
        except (DatasetError, OSError) as error:
            raise CommandError(str(error)) from None
        if export.state != JobState.DONE:
            raise CommandError("Another process is writing this export; wait for it, then try again.")
        rows = ", ".join(f"{split} {n}" for split, n in export.splits.items())
        self.stdout.write(f"{version.dataset.slug} version {version.version} as {export.format}: {rows}")
        for reason, n in export.manifest["skipped"].items():
            self.stdout.write(f"left out: {n} ({reason})")
        self.stdout.write(export.path)


def find_version(project: Project, slug: str, number: int | None) -> DatasetVersion:
    """Return a frozen version; raise CommandError that says how to get one."""
    dataset = Dataset.objects.filter(project=project, slug=slug).first()
    if dataset is None:
        known = ", ".join(project.datasets.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no dataset {slug!r} in {project.slug!r}. Datasets: {known}.")
    frozen = dataset.versions.filter(state=JobState.DONE)
    version = newest_version(dataset) if number is None else frozen.filter(version=number).first()
    if version is None:
        known = ", ".join(str(n) for n in frozen.order_by("version").values_list("version", flat=True)) or "none yet"
        raise CommandError(
            f"Frozen versions of {slug!r}: {known}. Make one with: "
            f"manage.py dataset freeze --project {project.slug} --dataset {slug}"
        )
    return version
