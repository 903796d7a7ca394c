"""Bring the catalogues up to date and compile them: `.venv/bin/python -m tests.translations.catalogue`

New texts come in untranslated, texts that are gone go, translations stay as they are. Then translate what it names in
webapp/locale/*/LC_MESSAGES/*.po and run it again.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.translations.extraction import ROOT, pages, scripts

LANGUAGES = ("de",)
#: Stands in compiled files instead of the time, so that equal texts compile to equal bytes.
UNCHANGED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DOMAINS: dict[str, Callable[[], Catalog]] = {"django": pages, "djangojs": scripts}


def po_path(language: str, domain: str) -> Path:
    return ROOT / "webapp" / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(catalogue: Catalog, sources: Catalog, language: str) -> Catalog:
    """Return a catalogue of the texts in `sources`, with the translations that `catalogue` has of them."""
    fresh = Catalog(locale=language, charset="utf-8", fuzzy=False, header_comment="# Countersign\n#")
    for message in sources:
        if message.id:
            known = catalogue.get(message.id, message.context)
            translation = known.string if known and not known.fuzzy else None
            fresh.add(message.id, translation, message.locations, context=message.context)
    return fresh


def missing(catalogue: Catalog) -> list[Message]:
    """Return the texts without a translation, or with one whose placeholders are others than the text's."""
    return [message for message in catalogue if message.id and (not _complete(message) or _differs(message))]


def _complete(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return all(strings) and not message.fuzzy


def _differs(message: Message) -> bool:
    return next(iter(message.check()), None) is not None


def as_po(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=120, sort_output=True, omit_header=False, include_lineno=False)
    # Without the times and the version of the writer, which would differ in every run.
    lines = file.getvalue().splitlines(keepends=True)
    volatile = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By', b'"Last-Translator', b'"Report-Msgid')
    return b"".join(line for line in lines if not line.startswith(volatile))


def as_mo(po: bytes, language: str) -> bytes:
    """Return what the text of a .po file compiles to."""
    file = BytesIO()
    catalogue = read_po(BytesIO(po), locale=language)
    catalogue.creation_date = catalogue.revision_date = UNCHANGED
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    left = 0
    for domain, sources in DOMAINS.items():
        found = sources()
        for language in LANGUAGES:
            path = po_path(language, domain)
            catalogue = updated(read_catalogue(path, language), found, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_po(catalogue))
            path.with_suffix(".mo").write_bytes(as_mo(path.read_bytes(), language))
            for message in missing(catalogue):
                left += 1
                sys.stdout.write(f"{language} {domain}: {message.id!r}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
