"""German is complete, and what is compiled is what was written."""

from __future__ import annotations

import pytest

from tests.translations.catalogue import DOMAINS, LANGUAGES, as_mo, as_po, missing, po_path, read_catalogue, updated

BOTH = [(language, domain) for language in LANGUAGES for domain in DOMAINS]
ADVICE = "run .venv/bin/python -m tests.translations.catalogue"


@pytest.mark.parametrize(("language", "domain"), BOTH)
def test_the_catalogue_has_the_texts_of_the_sources_and_no_others(language: str, domain: str) -> None:
    catalogue = read_catalogue(po_path(language, domain), language)
    texts = {(message.context, message.id) for message in catalogue if message.id}
    sources = {(message.context, message.id) for message in DOMAINS[domain]() if message.id}
    assert (texts - sources, sources - texts) == (set(), set()), ADVICE


@pytest.mark.parametrize(("language", "domain"), BOTH)
def test_every_text_is_translated_with_the_placeholders_that_it_has(language: str, domain: str) -> None:
    catalogue = read_catalogue(po_path(language, domain), language)
    assert [message.id for message in missing(catalogue)] == []
    assert not catalogue.obsolete


@pytest.mark.parametrize(("language", "domain"), BOTH)
def test_what_is_compiled_is_what_was_written(language: str, domain: str) -> None:
    path = po_path(language, domain)
    assert path.with_suffix(".mo").read_bytes() == as_mo(path.read_bytes(), language), ADVICE


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_is_new_or_whose_placeholders_differ_is_named(language: str) -> None:
    catalogue = read_catalogue(po_path(language, "django"), language)
    sources = read_catalogue(po_path(language, "django"), language)
    sources.add("A text that is new")
    sources.add("%(count)s of many", "%(number)s von vielen")
    named = [message.id for message in missing(updated(sources, sources, language))]
    assert named == ["%(count)s of many", "A text that is new"] or named == ["A text that is new", "%(count)s of many"]
    assert as_po(updated(catalogue, catalogue, language)) == po_path(language, "django").read_bytes()
