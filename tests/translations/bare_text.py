"""Find text in a template that nobody can translate."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.translations.shown import SHOWN

NO_TEXT = {"code", "kbd", "pre"}
#: Names and signs that are the same in every language.
NAMES = re.compile(r"\b(Countersign|SHA-256|UTC|ms|JSON|YAML|CSV|PDF)\b|&\w+;")
TAGS = re.compile(
    r"\{%\s*(?:blocktranslate|comment)\b.*?%\}.*?\{%\s*end(?:blocktranslate|comment)\s*%\}"
    r"|\{% block frame %\}.*?\{% endblock %\}",  # a class
    re.DOTALL,
)
ANY_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NO_TEXT:
            self.inside.append(tag)
        for name, value in attrs:
            if name in SHOWN:
                self._note(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self._note(data)

    def _note(self, text: str) -> None:
        if WORD.search(NAMES.sub("", text)):
            self.found.append(" ".join(text.split()))


def bare_text(source: str) -> list[str]:
    """Return the pieces of text, and of attributes that are read out, that no translation tag holds."""
    reader = _Reader()
    reader.feed(ANY_TAG.sub("", TAGS.sub("", source)))
    reader.close()
    return reader.found
