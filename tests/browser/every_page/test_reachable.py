"""Every page in Chromium: axe-core finds nothing, nothing is wider than a narrow screen, nothing moves unasked.

One walk, because starting browsers and filling projects is what takes the time.
"""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ViewportSize
from playwright.sync_api import Page as Tab
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import Requests
from tests.browser.every_page.world import make_world, uncovered
from tests.factories import make_cast
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe().axe_script
WIDE: ViewportSize = {"width": 1280, "height": 900}
ZOOMED: ViewportSize = {"width": 640, "height": 450}
NARROW: ViewportSize = {"width": 360, "height": 740}
RUN = """async (options) => (await axe.run(document, options)).violations.flatMap(
  ({id, nodes}) => nodes.map(({target, failureSummary}) => `${id} ${target.join(" ")}: ${failureSummary}`))"""
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const {transitionDuration, animationName, scrollBehavior} = getComputedStyle(element);
  return parseFloat(transitionDuration) > 0 || animationName !== "none" || scrollBehavior === "smooth";
}).map((element) => element.outerHTML.slice(0, 80))"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1
    && !element.closest(".table-scroll, pre, .visually-hidden")).slice(0, 5)
  .map((element) => element.outerHTML.slice(0, 120)).concat("the page scrolls sideways")"""


def test_everybody_can_use_every_page(
    chromium: Browser, live_server: LiveServer, requests_running: Requests, client: Client
) -> None:
    cast = make_cast()
    pages = make_world(cast)
    client.force_login(cast.owner)
    assert uncovered(pages, client) == []
    tabs: dict[str, Tab] = {}
    found: dict[str, list[str]] = {}
    for page in pages:
        who = page.reader.username if page.reader else ""
        if who not in tabs:
            tabs[who] = _signed_in(chromium, live_server, page.reader)
        faults = _look_at(tabs[who], f"{live_server.url}{page.path}")
        if faults:
            found[f"{page.name} as {who or 'anybody'}"] = faults
    for tab in tabs.values():
        tab.context.close()
    requests_running.wait_until_done()
    assert found == {}, json.dumps(found, indent=1)


def _signed_in(chromium: Browser, live_server: LiveServer, user: User | None) -> Tab:
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(15_000)
    if user is not None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return context.new_page()


def _look_at(tab: Tab, address: str) -> list[str]:
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(WIDE)
    answer = tab.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    _wait_for_console(tab)
    tab.evaluate(AXE)
    faults = _axe(tab) + [f"moves: {element}" for element in tab.evaluate(MOVING)]
    tab.set_viewport_size(ZOOMED)
    faults += [f"at 200 %: {fault}" for fault in tab.evaluate(TOO_WIDE)]
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size(NARROW)
    return faults + [f"narrow and dark: {fault}" for fault in _axe(tab) + tab.evaluate(TOO_WIDE)]


def _wait_for_console(tab: Tab) -> None:
    """Wait until the item behind the first has come, or is known not to: nothing of the page changes after that."""
    if tab.locator("#console [data-slot]").count():
        tab.locator("#console:is([data-ahead=ready], [data-ahead=none])").wait_for(state="attached")


def _axe(tab: Tab) -> list[str]:
    faults: list[str] = tab.evaluate(RUN, {"runOnly": WCAG, "resultTypes": ["violations"]})
    return faults
