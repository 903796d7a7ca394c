"""`manage.py traffic`: give the running demo something to look at."""

import http.client
import json
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.local.ready import post
from webapp.local.traffic_samples import Sample, samples

VERDICTS = ("allow", "redact", "hold", "block")
#: Of one interaction, when the app refuses it with Retry-After.
TRIES = 5
NOT_RUNNING = "Countersign does not answer at {url}. Start it with `make up` in another terminal, then try again."


class Command(BaseCommand):
    help = "Send sample interactions to the running app with the key of demo.json, and sum up the verdicts."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=300, help="interactions to send (default: 300)")
        parser.add_argument("--concurrency", type=int, default=4, help="requests at a time (default: 4)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same texts (default: 1)")

    def handle(self, *args: Any, count: int, concurrency: int, seed: int, **options: Any) -> None:
        facts = self._facts()
        url = urlsplit(str(facts["url"]))
        port = url.port or settings.PORT

        def send(sample: Sample) -> tuple[Sample, int, dict[str, Any]]:
            status, answer = self._send(port, sample, str(facts["api_key"]))
            return sample, status, answer

        verdicts: Counter[tuple[str, str]] = Counter()
        problems: Counter[str] = Counter()
        flagged = 0
        try:
            for sample, status, answer in self._progress(send, samples(count, seed), count, concurrency):
                if status == 200:
                    verdicts[sample.family, answer["verdict"]] += 1
                    flagged += bool(answer["flagged"])
                else:
                    problems[f"{status} {answer.get('title', '')}: {answer.get('hint', '')}"] += 1
        except ConnectionError as error:
            raise CommandError(NOT_RUNNING.format(url=facts["url"])) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CommandError(
                f"{facts['url']} gave no usable answer ({type(error).__name__}); see the logs."
            ) from error
        self._sum_up(verdicts, flagged, str(facts["url"]))
        if problems:
            lines = "\n".join(f"  {number} x {problem}" for problem, number in problems.most_common())
            raise CommandError(f"{problems.total()} of {count} interactions were refused:\n{lines}")

    def _send(self, port: int, sample: Sample, api_key: str) -> tuple[int, dict[str, Any]]:
        """Send one sample, again when the app is too busy and says when to come back."""
        posted = post(port, "/v1/checks", sample.body, api_key)
        for _ in range(TRIES - 1):
            # Not 429: the limit of a minute is the operator's wish, and waiting for it would look like standing still.
            if posted.status != 503:
                break
            time.sleep(posted.retry_after)
            posted = post(port, "/v1/checks", sample.body, api_key)
        return posted.status, posted.answer

    def _facts(self) -> dict[str, Any]:
        path = settings.HOME / "demo.json"
        try:
            facts: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise CommandError(f"There is no {path}: start the app with `make up` first.") from error
        return facts

    def _progress(self, send: Any, todo: Iterator[Sample], count: int, concurrency: int) -> Iterator[Any]:
        with ThreadPoolExecutor(max_workers=max(1, concurrency)) as pool:
            try:
                yield from tqdm(pool.map(send, todo), total=count, unit="check", desc="Sending")
            except BaseException:
                # Without this, leaving the block would first send all the rest.
                pool.shutdown(cancel_futures=True)
                raise

    def _sum_up(self, verdicts: Counter[tuple[str, str]], flagged: int, url: str) -> None:
        families = sorted({family for family, _ in verdicts})
        width = max((len(family) for family in families), default=8)
        row = f"{{:<{width}}}" + "{:>9}" * len(VERDICTS)
        self.stdout.write(row.format("", *VERDICTS))
        for family in families:
            self.stdout.write(row.format(family, *(verdicts[family, verdict] or "" for verdict in VERDICTS)))
        totals = [sum(verdicts[family, verdict] for family in families) for verdict in VERDICTS]
        self.stdout.write(row.format("all", *totals))
        self.stdout.write(f"{flagged} flagged for review. The queue: {url}")
