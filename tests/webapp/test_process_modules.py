"""What each kind of process loads: no models in web processes, no Django in workers that screen."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from screening.engine import Job
from screening.findings import OUTPUT, Queue, Text
from screening.packs import PACKS, read_pack
from screening.policy import parse_policy
from tests.faults.load import send
from tests.faults.workers import running_worker
from tests.layout import GUARDRAILS_AI
from tests.live import LiveApp
from tests.pages import Person
from tests.webapp.probed_asgi import PROBE
from webapp.local.home import free_port, open_home
from webapp.local.process_table import web
from webapp.local.processes import Process, Supervisor
from workers.client import ScreenClient

HEAVY = {"torch", "transformers", "sentence_transformers", "presidio_analyzer", "spacy", "guardrails", "guardrails_ai"}
DATABASE = {"psycopg", "webapp", "policies", "review", "feedback"}
PAGES = 60
EVERY_DETECTOR = """
name: everything
rules:
  - {id: moderation, detector: moderation, categories: {"*": {flag: 0.5}}}
  - {id: injection, detector: prompt_injection, on: [input], categories: {prompt_injection: {hold: 0.9}}}
  - {id: pii, detector: pii, entities: {"*": redact}}
  - {id: secrets, detector: secrets, entities: {"*": block}}
  - {id: pattern, detector: pattern, options: {patterns: {order: "ORD-[0-9]+"}}, entities: {"*": flag}}
  - {id: json, detector: json_schema, options: {schema: {type: object}}, entities: {"*": flag}}
  - {id: theirs, detector: guardrails_ai, options: {validator: "acme.checks:NoWord"}, entities: {failed: hold}}
"""
#: What `python -X importtime` writes for each module that it loads.
IMPORTED = re.compile(r"^import time:.*\|\s+([\w.]+)$", re.MULTILINE)


@pytest.fixture
def probed_web(live_app: LiveApp) -> Iterator[int]:
    """Run a second web server of the live app, with the flags of the first, that tells what it loaded."""
    port = free_port()
    services = live_app.services
    env = {
        **live_app.env,
        "DATABASE_URL": services["database_url"],
        "REDIS_URL": services["redis_url"],
        "COUNTERSIGN_PORT": str(port),
    }
    process = web(env, port)
    *flags, application = process.command
    assert application == "webapp.asgi:application"
    with tempfile.TemporaryDirectory() as place:
        log = open_home(Path(place)).log
        with Supervisor(log, report=lambda _: None) as supervisor:
            supervisor.start(Process("web", [*flags, "tests.webapp.probed_asgi:application"], process.env, process.cwd))
            supervisor.wait_until(lambda: answers(port), timeout=60, what="the web server")
            yield port


def answers(port: int) -> bool:
    try:
        return send(port, "GET", PROBE, {})[0] == 200
    except OSError:
        return False


def loaded(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def use_the_api(port: int, api_key: str) -> dict[str, Any]:
    """Ask every door once, and return an answer whose check waits for a person."""
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    output = {"output": "Write to ann@example.com."}
    asked: list[tuple[str, dict[str, Any], int]] = [
        ("/v1/checks", output, 200),
        ("/v1/checks", {**output, "wait": False}, 202),
        ("/v1/checks/batch", {"checks": [output, output]}, 200),
        ("/openai/v1/moderations", {"input": "I like trains."}, 200),
    ]
    for path, body, wanted in asked:
        status, answer = send(port, "POST", path, headers, body)
        assert status == wanted, (path, answer)
    # No model answers in a millisecond: its rules are unscanned, and the fail mode holds the output.
    _, held = send(port, "POST", "/v1/checks", headers, {**output, "deadline_ms": 1})
    assert held["verdict"] == "hold"
    return held


def test_web_processes_load_no_models(live_app: LiveApp, probed_web: int) -> None:
    held = use_the_api(probed_web, live_app.api_key)
    person = Person(f"http://127.0.0.1:{probed_web}")
    person.sign_in(**live_app.users["owner"])
    person.send("/p/demo/policies/_new/", document=EVERY_DETECTOR)
    assert person.url.endswith("/p/demo/policies/everything/")
    seen = person.crawl("/", pages=PAGES)
    person.open(f"/p/demo/review/items/{held['review']['id']}/")
    rooms = {path.split("/")[3] for path in seen if path.startswith("/p/demo/")}
    assert rooms >= {"review", "policies", "datasets", "compliance", "traffic", "members", "applications", "settings"}
    _, found = send(probed_web, "GET", PROBE, {})
    assert loaded(found["modules"]) & HEAVY == set()
    assert Path(found["guardrails"]) == GUARDRAILS_AI


@pytest.mark.parametrize(("queue", "library"), [("cpu", "presidio_analyzer"), ("gpu", "torch")])
def test_workers_that_screen_load_no_django(redis_url: str, queue: Queue, library: str) -> None:
    url = redis_url.removesuffix("/0") + "/7"
    # As under `manage.py up`, whose environment names the settings: Celery would load Django for that alone.
    env = {"PYTHONPROFILEIMPORTTIME": "1", "DJANGO_SETTINGS_MODULE": "webapp.settings", "COUNTERSIGN_DEVICE": "cpu"}
    with running_worker(url, queue, **env) as worker, contextlib.closing(ScreenClient(url)) as client:
        due = time.time() + 60
        texts = (Text(OUTPUT, "Write to ann@example.com."),)
        jobs = [Job(parse_policy(read_pack(name)).canonical, texts, started=due, deadline=due) for name in PACKS]
        assert all(screening.results[queue].rules for screening in client.screen(jobs))
        modules = IMPORTED.findall((worker.supervisor.logs / f"{worker.name}.log").read_text())
    assert loaded(modules) & DATABASE == set()
    # kombu takes one class from Django's utilities wherever Django is installed.
    assert [name for name in modules if name.startswith("django.") and not name.startswith("django.utils")] == []
    assert loaded(modules) >= {"celery", "screening", "workers", library}
