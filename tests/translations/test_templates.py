"""Nothing in a template is said in English alone."""

from __future__ import annotations

import re

import pytest

from tests.translations.bare_text import bare_text
from tests.translations.extraction import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
#: Made of the API's own document, which is in English as the API is.
ENGLISH = ("interception/api_docs.html",)


def test_no_template_has_text_that_can_not_be_translated() -> None:
    found = {path.relative_to(ROOT / "templates").as_posix(): bare_text(path.read_text()) for path in TEMPLATES}
    assert {name: texts for name, texts in found.items() if texts and name not in ENGLISH} == {}


def test_words_of_the_api_are_said_in_the_reader_s_language() -> None:
    bare = re.compile(r">\{\{ [\w.]+\.(?:outcome|severity_name|verdict|method) \}\}<")
    pages = [path for path in TEMPLATES if path.relative_to(ROOT / "templates").as_posix() not in ENGLISH]
    assert {path.name: found for path in pages if (found := bare.findall(path.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "<p>Bare</p>",
        '<a aria-label="Bare">×</a>',
        '<td data-label="Bare">1</td>',
        "{% if x %}Bare{% endif %}",
        "<p>{% translate 'Said' %} Bare</p>",
        "{% blocktranslate %}Said{% endblocktranslate %}<b>Bare</b>",
    ],
)
def test_text_that_no_tag_holds_is_found(source: str) -> None:
    assert "Bare" in " ".join(bare_text(source))


@pytest.mark.parametrize(
    "source", ["<p>{% translate 'Said' %} · {{ name }}</p>", "<code>manage.py</code>", "<p class='a'>1 %</p>"]
)
def test_names_code_and_what_is_translated_are_not_taken_for_bare_text(source: str) -> None:
    assert bare_text(source) == []
