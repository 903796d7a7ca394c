"""`manage.py audit verify | report | checkpoint | key`"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.audit.checkpoints import make_checkpoint
from webapp.audit.errors import AuditError
from webapp.audit.keys import load_key, verifier_key
from webapp.audit.models import AuditCheckpoint
from webapp.audit.sequencer import sequence_log
from webapp.audit.verification import Result, verify_log


class Command(BaseCommand):
    help = "Verify the audit log, sign it, print its key, write a report."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        verify = commands.add_parser("verify", help="Recompute the whole log and compare it with what was signed.")
        verify.add_argument("--json", action="store_true", help="Print the result as JSON.")
        commands.add_parser("checkpoint", help="Append waiting events, sign the log, print the checkpoint.")
        commands.add_parser("key", help="Print the verifier key, to be kept by those who check reports.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["subcommand"])(**options)
        except AuditError as error:
            raise CommandError(str(error)) from None

    def verify(self, *, json: bool, **options: Any) -> None:
        result = verify_log()
        self.stdout.write(_as_json(result) if json else _as_text(result))
        if not result.ok:
            raise SystemExit(1)

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
