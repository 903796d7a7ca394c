"""Screen a JSONL file."""

from __future__ import annotations

import os
import uuid
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from policies.selectors import NoSuchPolicy, active_version
from screening.engine import Engine
from screening.packs import PACKS, read_pack
from screening.policy import Policy, PolicyError, load_policy, parse_policy, without_deadlines
from webapp.accounts.models import Project
from webapp.files import new_file
from webapp.interception.offline import CHUNK, BadLine, Screen, by_workers, direct, read_lines, screen_lines, to_json
from webapp.interception.screening import redaction_key


class Command(BaseCommand):
    help = (
        'Screen the lines of a JSONL file ({"id", "output", "messages"?, "context"?}) and write verdicts, findings, '
        "scores and PII spans. Nothing is stored in the database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("input", type=Path)
        parser.add_argument("output", type=Path)
        parser.add_argument(
            "--policy",
            default="support-bot",
            help=f"a YAML file, a shipped policy ({', '.join(PACKS)}), or with --project a policy of it",
        )
        parser.add_argument("--project", default="", help="slug of the project whose active policy is meant")
        parser.add_argument(
            "--direct", action="store_true", help="screen in this process: needs no broker, no database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        policy = without_deadlines(_policy(options["policy"], options["project"]))
        if not options["output"].parent.is_dir():
            raise CommandError(f"{options['output'].parent} is no folder. Make it first.")
        screen = _direct() if options["direct"] else by_workers(_redis_url())
        try:
            unscanned, total = self._screen(options["input"], options["output"], policy, screen)
        except BadLine as error:
            raise CommandError(f"{options['input']}: {error} Nothing was written.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or options['output']}: {error.strerror}.") from None
        self.stdout.write(f"{total} lines screened with {policy.name} into {options['output']}")
        if unscanned:
            raise CommandError(f"{unscanned} lines have rules that did not run; see their `unscanned`.")

    def _screen(self, source: Path, target: Path, policy: Policy, screen: Screen) -> tuple[int, int]:
        key = redaction_key(uuid.UUID(int=0))
        with source.open("rb") as counted:
            total = sum(1 for line in counted if line.strip())
        unscanned = 0
        with (
            source.open("rb") as raw,
            new_file(target, replace=True) as temporary,
            temporary.open("wb") as out,
            tqdm(total=total, unit="text", disable=None) as progress,
        ):
            waiting = read_lines(raw)
            while lines := list(islice(waiting, CHUNK)):
                answers = screen_lines(lines, policy, screen, key)
                out.writelines(to_json(answer) for answer in answers)
                unscanned += sum(bool(answer["unscanned"]) for answer in answers)
                progress.update(len(lines))
        return unscanned, total


def _policy(name: str, project: str) -> Policy:
    try:
        if project:
            return load_policy(active_version(Project.objects.get(slug=project), name).canonical)
        path = Path(name)
        if path.suffix and not path.is_file():
            raise CommandError(f"{path}: no such file. Name a YAML file, or one of {', '.join(PACKS)}.")
        return parse_policy(path.read_text("utf-8") if path.is_file() else read_pack(name))
    except PolicyError as error:
        raise CommandError("\n".join(str(issue) for issue in error.issues)) from None
    except (KeyError, NoSuchPolicy, Project.DoesNotExist) as error:
        raise CommandError(f"No such policy: {error.args[0]}") from None


def _direct() -> Screen:
    from workers.model import load_model
    from workers.runtimes.errors import ModelUnavailable
    from workers.served import ServedModels

    engine = Engine(
        lambda: load_model(os.environ.get("COUNTERSIGN_GUARD_MODEL", ""), os.environ.get("COUNTERSIGN_DEVICE", "auto")),
        ServedModels(patient=True),
    )
    try:
        _ = engine.model
    except ModelUnavailable as error:
        raise CommandError(str(error)) from None
    return direct(engine)


def _redis_url() -> str:
    if not settings.REDIS_URL:
        raise CommandError("No Redis: start the app with `make up`, set REDIS_URL, or use --direct.")
    return settings.REDIS_URL
