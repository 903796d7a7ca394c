"""`manage.py audit verify | report | checkpoint | key`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import Project
from webapp.accounts.services import SYSTEM
from webapp.audit.checkpoints import make_checkpoint
from webapp.audit.errors import AuditError
from webapp.audit.keys import load_key, verifier_key
from webapp.audit.models import AuditCheckpoint
from webapp.audit.report.formats import FORMATS
from webapp.audit.report.periods import PeriodError, parse_period
from webapp.audit.report.profiles import PROFILES
from webapp.audit.selectors import checkpoint_of
from webapp.audit.sequencer import sequence_log
from webapp.audit.services import create_report
from webapp.audit.verification import Result, verify_log
from webapp.files import new_file


class Command(BaseCommand):
    help = "Verify the audit log, sign it, print its key, write a report."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        verify = commands.add_parser("verify", help="Recompute the whole log and compare it with what was signed.")
        verify.add_argument("--json", action="store_true", help="Print the result as JSON.")
        report = commands.add_parser("report", help="Write the report of a period.")
        report.add_argument("--project", required=True, metavar="SLUG")
        report.add_argument("--from", dest="since", required=True, metavar="DAY", help="The first day, as 2026-11-01.")
        report.add_argument("--to", dest="until", required=True, metavar="DAY", help="The day that it ends before.")
        report.add_argument("--format", choices=sorted(FORMATS), default="pdf")
        report.add_argument("--profile", choices=sorted(PROFILES), default="activity")
        report.add_argument("--checkpoint", type=int, metavar="SIZE", help="Make it as of this stored checkpoint.")
        report.add_argument("--out", type=Path, required=True, metavar="FILE")
        report.add_argument("--force", action="store_true", help="Replace FILE if it is there.")
        commands.add_parser("checkpoint", help="Append waiting events, sign the log, print the checkpoint.")
        commands.add_parser("key", help="Print the verifier key, to be kept by those who check reports.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["subcommand"])(**options)
        except (AuditError, PeriodError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    def verify(self, *, json: bool, **options: Any) -> None:
        result = verify_log()
        self.stdout.write(_as_json(result) if json else _as_text(result))
        if not result.ok:
            raise SystemExit(1)

    def report(self, *, out: Path, force: bool, checkpoint: int | None, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        if out.exists() and not force:
            raise CommandError(f"{out} is there already; --force replaces it.")
        with new_file(out, replace=force) as path:
            made = create_report(
                project=project,
                profile=PROFILES[options["profile"]],
                period=parse_period(options["since"], options["until"]),
                format=options["format"],
                actor=SYSTEM,
                path=path,
                checkpoint=None if checkpoint is None else checkpoint_of(checkpoint),
            )
        found = made.report
        self.stdout.write(f"{out}: {found.events} events, checkpoint of {found.checkpoint.size}\nSHA-256 {made.sha256}")
        self.stdout.write(found.reconciliation.equation)
        for problem in found.reconciliation.problems:
            self.stderr.write(self.style.ERROR(f"MISMATCH: {problem}"))

    def checkpoint(self, **options: Any) -> None:
        sequence_log(wait=True)
        checkpoint = make_checkpoint()
        if checkpoint is None:
            raise CommandError("The log has no events yet; there is nothing to sign.")
        self.stdout.write(checkpoint.note, ending="")

    def key(self, **options: Any) -> None:
        # The first use makes the key; once something is signed, a missing one must be restored instead.
        load_key(create=not AuditCheckpoint.objects.exists())
        self.stdout.write(str(verifier_key()))


def _as_json(result: Result) -> str:
    return json.dumps(result.as_dict(), indent=2)


def _as_text(result: Result) -> str:
    facts = f"{result.events} events, {result.nodes} nodes, {result.checkpoints} checkpoints"
    facts += f", the first {result.signed} events signed"
    if result.ok:
        return f"The log is intact: {facts}.\nroot {result.root}"
    lines = [f"The log is NOT intact ({facts}). {result.problem_count} problem(s):"]
    lines += [f"- {problem.where}: {problem.what}" for problem in result.problems]
    if result.problem_count > len(result.problems):
        lines.append(f"- and {result.problem_count - len(result.problems)} more")
    return "\n".join(lines)
