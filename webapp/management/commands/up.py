"""`manage.py up`: the whole app on this machine."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webapp.local.home import LocalError
from webapp.local.ready import ANSWER, POLICY, QUESTION
from webapp.local.stack import Request, running

CURL = """curl -s {url}/v1/checks \\
    -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"policy": "{policy}", "messages": [{{"role": "user", "content": "{question}"}}], "output": "{answer}"}}'"""


class StopRequested(BaseException):
    """End the run: raised in the main thread by SIGINT, SIGTERM and SIGHUP."""


class Command(BaseCommand):
    help = "Start PostgreSQL, Redis, the web server and the workers on this machine; Ctrl-C stops them."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        # Not settings.DATABASE_URL: that may come from the services file of a run that was killed.
        request = Request(
            root=settings.HOME,
            port=settings.PORT,
            database_url=os.environ.get("DATABASE_URL", ""),
            redis_url=os.environ.get("REDIS_URL", ""),
        )
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        try:
            for number in signals:
                signal.signal(number, _stop)
            with running(request, self.tell) as (stack, supervisor):
                try:
                    self.tell(_ready(stack.bring_up(), request, time.monotonic() - began))
                    supervisor.wait()
                finally:
                    # From here on a second Ctrl-C must not leave processes behind.
                    for number in signals:
                        signal.signal(number, signal.SIG_IGN)
                    self.tell("Stopping")
        except StopRequested:
            self.tell("Stopped")
        except LocalError as error:
            self.stderr.write(self.style.ERROR(f"Countersign: {error}"))
            self.stderr.write(error.hint)
            sys.exit(1)

    def tell(self, line: str) -> None:
        """Show a line at once, also through a pipe."""
        self.stdout.write(line)
        self.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise StopRequested


def _ready(facts: Mapping[str, Any], request: Request, seconds: float) -> str:
    curl = CURL.format(url=facts["url"], key=facts["api_key"], policy=POLICY, question=QUESTION, answer=ANSWER)
    people = "\n".join(f"    {person['username']:<12} {person['password']}" for person in facts["users"].values())
    return f"""
ready  {facts["url"]}  (after {seconds:.0f} s)

  Sign in as
{people}

  Try a check
  {curl}

  `make traffic` sends a few hundred sample checks. The same facts: {request.root / "demo.json"}
  Logs: {request.root / "log"}. Ctrl-C stops everything.
"""
