"""docs/reference/audit.md lists what there is, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.audit.test_envelopes import FIELDS
from webapp.audit.events import EVENT_TYPES
from webapp.audit.report.formats import CSV_COLUMNS, FORMATS
from webapp.audit.report.profiles import PROFILES

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "audit.md").read_text()


def section(title: str) -> str:
    return REFERENCE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)


def test_every_event_type_is_listed_with_its_meaning() -> None:
    listed = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section("Event types"), flags=re.MULTILINE))
    assert listed == EVENT_TYPES


def test_every_field_of_the_envelope_is_listed() -> None:
    assert set(first_cells(section("The envelope"))) == FIELDS


def test_every_format_and_profile_is_listed() -> None:
    assert set(first_cells(section("Reports"))) == {*FORMATS, *PROFILES}
    assert {"index", "leaf_sha256", "envelope"} <= set(CSV_COLUMNS)


@pytest.mark.parametrize("page", ["how-to/audit.md", "reference/audit.md"])
def test_links_between_the_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (DOCS / page).read_text())
    assert links
    for link in links:
        assert (DOCS / page).parent.joinpath(link).is_file()
