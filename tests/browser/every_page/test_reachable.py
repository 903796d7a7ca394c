"""Every page in Chromium: axe-core finds nothing, nothing is wider than a narrow screen, nothing moves unasked.

Names are markup, which stays text.

In German, whose words are the longer ones. Dialogs are opened, and forms sent empty, so that they show their errors.

One walk, because starting browsers and filling projects is what takes the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ViewportSize
from playwright.sync_api import Page as Tab
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import Requests
from tests.browser.every_page.world import Page, make_world, uncovered
from tests.browser.payloads import TRACES
from tests.factories import make_cast
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe().axe_script
WIDE: ViewportSize = {"width": 1280, "height": 900}
ZOOMED: ViewportSize = {"width": 640, "height": 400}
NARROW: ViewportSize = {"width": 360, "height": 740}
RUN = """async ([part, options]) => (await axe.run(document.querySelector(part), options)).violations.flatMap(
  ({id, nodes}) => nodes.map(({target, failureSummary}) => `${id} ${target.join(" ")}: ${failureSummary}`))"""
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const {transitionDuration, animationName, scrollBehavior} = getComputedStyle(element);
  return parseFloat(transitionDuration) > 0 || animationName !== "none" || scrollBehavior === "smooth";
}).map((element) => element.outerHTML.slice(0, 80))"""
NEEDLESS = """() => [...document.querySelectorAll(".no-js-only")].filter((element) => element.checkVisibility())
  .map((element) => element.outerHTML.slice(0, 80))"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1
    && !element.closest(".table-scroll, pre, .visually-hidden")).slice(0, 5)
  .map((element) => element.outerHTML.slice(0, 120)).concat("the page scrolls sideways")"""

#: What is opened in the console, and the keys that open it.
DIALOGS = {
    "dialog[data-escalate]": "x",
    "dialog[data-skip]": "s",
    "dialog[data-hold]": "h",
    "dialog[data-comment]": "c",
    "dialog#keys": "?",
    "[data-rule-search]": "/",
    "dialog[data-types]": "F2 n",
}
WITH_ERRORS = {
    "account_login",
    "account_change_password",
    "accounts:members",
    "accounts:applications",
    "accounts:settings",
    "policies:new",
    "datasets:new",
    "review:queue-new",
    "review:queue-edit",
    "review:schema-new",
    "review:schema-edit",
    "review:routing",
    "review:keys",
    "review:wellness",
    "review:imports",
    "review:bulk-new",
    "review:golden-new",
}
#: Of the longest form of the page: what it needs is taken out, and it is sent without asking the browser.
SEND_EMPTY = """() => {
  const forms = [...document.querySelectorAll("main form[method=post]")];
  const form = forms.reduce((one, other) => (other.elements.length > one.elements.length ? other : one));
  for (const input of form.elements) {
    if (input.type === "hidden" || input.type === "submit" || input.tagName === "FIELDSET") continue;
    if (input.type === "radio" || input.type === "checkbox") input.checked = false;
    else if (input.tagName === "SELECT") input.selectedIndex = -1;
    else input.value = "";
  }
  form.noValidate = true;
  form.submit();
}"""
#: Chosen and not chosen, and what is marked in a text, to readers with colours of their own.
UNMARKED = """() => {
  const lines = (element) => {
    const style = getComputedStyle(element);
    return [style.outlineStyle, style.borderBottomStyle, style.textDecorationLine].join();
  };
  const differ = {
    ".tabs [aria-selected=true]": ".tabs [aria-selected=false]",
    ".switch input:checked + span": ".switch input:not(:checked) + span",
  };
  const same = Object.entries(differ).filter((pair) => {
    const [chosen, other] = pair.map((selector) => document.querySelector(selector));
    return lines(chosen) === lines(other);
  });
  const plain = [...document.querySelectorAll("mark")].filter((mark) => !lines(mark).includes("underline"));
  return [...same, ...plain.map((mark) => mark.className)].map((one) => `told by colour alone: ${one}`);
}"""


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
        faults = _look_at(tabs[who], live_server, page)
        if faults:
            found[f"{page.name} as {who or 'anybody'}"] = faults
    reviewer = tabs[cast.reviewer.username]
    found |= {f"dialog {name}": faults for name, faults in _dialogs(reviewer, live_server, pages) if faults}
    found |= {f"errors of {name}": faults for name, faults in _errors(tabs, live_server, pages) if faults}
    for tab in tabs.values():
        tab.context.close()
    requests_running.wait_until_done()
    assert found == {}, json.dumps(found, indent=1)


def _signed_in(chromium: Browser, live_server: LiveServer, user: User | None) -> Tab:
    context = chromium.new_context(reduced_motion="reduce", locale="de-DE")
    context.set_default_timeout(15_000)
    if user is not None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return context.new_page()


def _look_at(tab: Tab, server: LiveServer, page: Page) -> list[str]:
    _open(tab, server, page)
    faults = _axe(tab) + [f"moves: {element}" for element in tab.evaluate(MOVING)]
    faults += [f"taken for markup: {element}" for element in tab.evaluate(TRACES)]
    faults += [f"for pages without scripts: {element}" for element in tab.evaluate(NEEDLESS)]
    tab.set_viewport_size(ZOOMED)
    faults += [f"at 200 %: {fault}" for fault in tab.evaluate(TOO_WIDE)]
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size(NARROW)
    return faults + [f"narrow and dark: {fault}" for fault in _axe(tab) + tab.evaluate(TOO_WIDE)]


def _dialogs(tab: Tab, server: LiveServer, pages: list[Page]) -> Iterator[tuple[str, list[str]]]:
    """Open the dialogs of the console one after the other, and the search in the policy."""
    _open(tab, server, next(page for page in pages if page.name == "review:item"))
    for opened, keys in DIALOGS.items():
        tab.set_viewport_size(WIDE)
        for key in keys.split():
            tab.keyboard.press(key)
        tab.locator(opened).wait_for()
        faults = _axe(tab, opened) + _unmarked(tab)
        tab.set_viewport_size(NARROW)
        yield opened, faults + tab.evaluate(TOO_WIDE)
        tab.keyboard.press("Escape")
        tab.locator(opened).wait_for(state="hidden" if opened.startswith("dialog") else "visible")


def _unmarked(tab: Tab) -> list[str]:
    """Return what is told by colour alone, and is not told to readers who have colours of their own."""
    tab.emulate_media(forced_colors="active")
    found: list[str] = tab.evaluate(UNMARKED)
    tab.emulate_media(forced_colors="none")
    return found


def _errors(tabs: dict[str, Tab], server: LiveServer, pages: list[Page]) -> Iterator[tuple[str, list[str]]]:
    """Send the forms empty that say what is wrong with that."""
    for page in pages:
        if page.name not in WITH_ERRORS:
            continue
        tab = tabs[page.reader.username if page.reader else ""]
        _open(tab, server, page)
        with tab.expect_navigation():
            tab.evaluate(SEND_EMPTY)
        tab.evaluate(AXE)
        shown = tab.locator("main :is(.errorlist, [role=alert], .form-error):not(:empty)").count()
        faults = [] if shown else ["no error is shown"]
        tab.set_viewport_size(NARROW)
        yield page.name, faults + _axe(tab) + tab.evaluate(TOO_WIDE)


def _open(tab: Tab, server: LiveServer, page: Page) -> None:
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(WIDE)
    answer = tab.goto(f"{server.url}{page.path}")
    assert answer is not None
    assert answer.status == 200, page.path
    _wait_for_console(tab)
    tab.evaluate(AXE)


def _wait_for_console(tab: Tab) -> None:
    """Wait until the item behind the first has come, or is known not to: nothing of the page changes after that."""
    if tab.locator("#console [data-slot]").count():
        tab.locator("#console:is([data-ahead=ready], [data-ahead=none])").wait_for(state="attached")


def _axe(tab: Tab, part: str = "html") -> list[str]:
    faults: list[str] = tab.evaluate(RUN, [part, {"runOnly": WCAG, "resultTypes": ["violations"]}])
    return faults
