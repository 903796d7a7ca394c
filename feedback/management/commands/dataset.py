"""`manage.py dataset freeze`: a frozen version of decided items."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.commands import bar, find_project
from feedback.errors import DatasetError
from feedback.filters import Filters
from feedback.models import Dataset
from feedback.services import create_dataset, freeze_version
from webapp.accounts.models import Project


class Command(BaseCommand):
    help = "Freeze a version of a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        freeze = actions.add_parser("freeze", help="freeze the items that are decided now; makes the dataset if new")
        freeze.add_argument("--project", required=True, help="short name of the project")
        freeze.add_argument("--dataset", required=True, help="short name of the dataset")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        dataset = self._dataset(project, options["dataset"])
        try:
            with bar("freezing", "step") as progress:
                version = freeze_version(dataset=dataset, progress=progress)
        except DatasetError as error:
            raise CommandError(str(error)) from None
        splits = ", ".join(f"{split} {n}" for split, n in version.splits.items())
        self.stdout.write(f"{dataset.slug} version {version.version}: {version.rows} rows ({splits})")
        self.stdout.write(f"digest {version.digest}")

    def _dataset(self, project: Project, slug: str) -> Dataset:
        existing = Dataset.objects.filter(project=project, slug=slug).first()
        if existing:
            return existing
        self.stdout.write(f"{slug} is new: it takes every decided item")
        return create_dataset(project=project, slug=slug, name=slug, filters=Filters())
