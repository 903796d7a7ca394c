"""`manage.py label_studio`: what waits in a queue to Label Studio, and tasks of Label Studio before reviewers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.commands import bar, find_project
from review.errors import ReviewError
from review.label_studio.exporting import export_waiting
from review.label_studio.importing import Report, import_tasks
from review.label_studio.reading import MAX_BYTES, read_tasks
from review.models import Queue
from webapp.accounts.models import Application, Project

#: Tasks of which something was left out that are named one by one.
NAMED = 50


class Command(BaseCommand):
    help = "Hand what waits for review to Label Studio, or take tasks and labels from there."

    def add_arguments(self, parser: CommandParser) -> None:
        doing = parser.add_subparsers(dest="doing", required=True)
        out = doing.add_parser(
            "export", help="write the waiting items of a queue as tasks, with findings as predictions"
        )
        out.add_argument("--project", required=True, help="short name of the project")
        out.add_argument("--queue", required=True, help="short name of the queue")
        out.add_argument("--out", required=True, type=Path, help="file for the tasks; replaced if it is there")
        take = doing.add_parser(
            "import", help="screen the tasks of a file and put them before reviewers with their labels"
        )
        take.add_argument("file", type=Path, help="JSON as Label Studio exports or imports it")
        take.add_argument("--project", required=True, help="short name of the project")
        take.add_argument(
            "--application", required=True, help="name of the application that the texts count as those of"
        )
        take.add_argument("--queue", required=True, help="short name of the queue that they come to")
        take.add_argument("--text-key", default="text", help="key of the output in the data of a task (default: text)")
        take.add_argument("--policy", help="policy that they are screened by; the project's default if not given")

    def handle(self, *args: Any, doing: str, **options: Any) -> None:
        project = find_project(options["project"])
        queue = find_queue(project, options["queue"])
        try:
            if doing == "export":
                self._export(queue, options["out"])
            else:
                self._import(options["file"], find_application(project, options["application"]), queue, options)
        except OSError as error:
            raise CommandError(f"{error.filename or options.get('out')}: {error.strerror}.") from None
        except ReviewError as error:
            raise CommandError(str(error)) from None

    def _export(self, queue: Queue, out: Path) -> None:
        with bar("exporting", "item") as progress:
            written, config = export_waiting(queue, out.absolute(), tell=progress)
        self.stdout.write(f"{written} waiting items of {queue.slug} into {out}")
        self.stdout.write(f"labelling interface: {config}")

    def _import(self, file: Path, application: Application, queue: Queue, options: dict[str, Any]) -> None:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
        tasks = read_tasks(raw, text_key=options["text_key"], policy=options["policy"])
        with bar("importing", "task") as progress:
            report = import_tasks(tasks, application=application, queue=queue, tell=progress)
        self.stdout.write(
            f"{report.made} new checks, {report.again} that were there, {report.labels} new labels, "
            f"{report.answers} new answers"
        )
        self._tell_left_out(report)

    def _tell_left_out(self, report: Report) -> None:
        totals: Counter[str] = Counter()
        for (_, reason), number in report.left_out.items():
            totals[reason] += number
        for reason, number in sorted(totals.items()):
            self.stdout.write(f"left out: {number} ({reason})")
        for (task, reason), number in sorted(report.left_out.items())[:NAMED]:
            self.stdout.write(f"  task {task}: {number} ({reason})")
        if len(report.left_out) > NAMED:
            self.stdout.write(f"  and {len(report.left_out) - NAMED} lines more")


def find_queue(project: Project, slug: str) -> Queue:
    """Return the queue; raise CommandError that names those that exist."""
    queue = Queue.objects.select_related("project").filter(project=project, slug=slug).first()
    if queue is None:
        known = ", ".join(project.queues.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no queue {slug!r} in {project.slug!r}. Queues: {known}.")
    return queue


def find_application(project: Project, name: str) -> Application:
    """Return the application; raise CommandError that names those that exist."""
    application = Application.objects.select_related("project").filter(project=project, name=name).first()
    if application is None:
        known = ", ".join(project.applications.order_by("name").values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no application {name!r} in {project.slug!r}. Applications: {known}.")
    return application
