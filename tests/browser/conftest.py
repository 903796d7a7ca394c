from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.install_chromium import ADVICE, ARGUMENTS, find_chromium
from tests.factories import Cast, make_cast
from webapp.accounts.models import User


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Run one Chromium for the session."""
    program = find_chromium()
    if program is None:
        pytest.fail(f"These tests need a Chromium. {ADVICE}")
    # Playwright keeps an event loop in this thread; Django would take every query in the tests for one inside it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Requests:
    """The requests that the live server is at work on, in its own threads."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()

    def begin(self, **_: Any) -> None:
        with self._changed:
            self._running += 1

    def end(self, **_: Any) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def wait_until_done(self) -> None:
        """Return when none is running; a request that outlives its test would find the database closed to it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._running == 0, timeout=30)


@pytest.fixture
def requests_running() -> Iterator[Requests]:
    running = Requests()
    request_started.connect(running.begin)
    request_finished.connect(running.end)
    yield running
    request_started.disconnect(running.begin)
    request_finished.disconnect(running.end)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


@pytest.fixture
def open_queues(
    chromium: Browser, live_server: LiveServer, cast: Cast, requests_running: Requests
) -> Iterator[Callable[..., Page]]:
    """Return a function that signs a person in and opens the queue list.

    It fails the test when a script fails, and when a page asks for what its content security policy forbids. A test
    that will answer for the server says that it `intercepts`: Chromium lets a request pass when that begins later.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def sign_in(user: User | None = None, *, scripts: bool = True, intercepts: bool = False) -> Page:
        client = Client()
        client.force_login(user or cast.reviewer)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context = chromium.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("console", listen)
        if intercepts:
            context.route("http://nowhere.invalid/", lambda route: route.abort())
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{live_server.url}/p/acme/review/")
        return page

    yield sign_in
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state("networkidle")
        context.close()
    requests_running.wait_until_done()
    assert faults == []
