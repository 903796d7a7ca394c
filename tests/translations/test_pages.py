"""Every page in German: what people read is translated, and what machines read is as it was.

One test, because filling projects is what takes the time.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.browser.every_page.world import Page, make_world
from tests.factories import make_cast
from tests.translations.shown import SHOWN

pytestmark = pytest.mark.django_db
#: Attributes that differ from one language to the other because they name the language.
OF_LANGUAGE = {"lang", "dir"}
#: Different in every answer.
VOLATILE = {"csrfmiddlewaretoken", "submission", "comment"}
NUMBER = re.compile(r"\d+")


class _Machine(HTMLParser):
    """Collects what machines read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("name") in VOLATILE or (found.get("src") or "").startswith("/texts/"):
            return
        for_people = SHOWN | OF_LANGUAGE
        self.read += [(tag, name, _read(tag, name, value or "")) for name, value in attrs if name not in for_people]


def _read(tag: str, name: str, value: str) -> str:
    """Return the form of a value, because figures and times change from one answer to the next: 0.5 is 0.0, not 0,0.

    Where a word of a drawing lies depends on the words before it.
    """
    form = NUMBER.sub("0", value)
    return "a number" if name == "x" and tag in ("rect", "text") and form == "0.0" else form


def machine_parts(page: str) -> set[tuple[str, str, str]]:
    parser = _Machine()
    parser.feed(page)
    return set(parser.read)


def test_machines_read_the_same_in_every_language(client: Client, tmp_path: Path, settings: Settings) -> None:
    settings.HOME, settings.AUDIT_KEY_FILE = tmp_path / "home", tmp_path / "keys" / "audit.pem"
    differing: dict[str, list[tuple[str, str, str]]] = {}
    for page in make_world(make_cast()):
        english, german = (_get(client, page, language) for language in ("en", "de"))
        assert page.name == "api-docs" or 'lang="de"' in german, page.name
        if different := machine_parts(english) ^ machine_parts(german):
            differing[page.name] = sorted(different)
    assert differing == {}


def _get(client: Client, page: Page, language: str) -> str:
    client.logout()
    if page.reader is not None:
        client.force_login(page.reader)
    answer = client.get(page.path, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, (page.name, answer.status_code)
    return answer.content.decode()
