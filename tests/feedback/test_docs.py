"""The reference names what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from feedback.exporters.registry import EXPORTERS
from feedback.records import Record
from feedback.selectors import CATEGORIES

REFERENCE = (Path(__file__).parents[2] / "docs/reference/exports.md").read_text()


@pytest.mark.parametrize("format", list(EXPORTERS))
def test_every_format_has_an_example_with_its_columns(format: str) -> None:
    section = REFERENCE.split(f"\n## {format}\n")[1].split("\n## ")[0]
    found = re.search(r"```json\n(.*)\n```", section)
    assert found
    columns = [feature["name"] for feature in EXPORTERS[format].features]
    example = json.loads(found[1])
    assert set(example) <= set(columns) if format == "huggingface" else list(example) == columns


def test_every_field_of_the_record_is_explained() -> None:
    table = REFERENCE.split("\n## The record\n")[1]
    explained = re.findall(r"`([a-z_0-9]+)`", "".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    assert sorted(explained) == sorted(Record.__annotations__)


def test_the_labels_are_listed_in_their_order() -> None:
    found = re.search(r"<!-- categories -->(.*?)<!-- /categories -->", REFERENCE, re.DOTALL)
    assert found
    assert [name.strip() for name in found[1].split(",")] == list(CATEGORIES)


def test_the_example_of_spans_fits_its_text() -> None:
    section = REFERENCE.split("\n## pii-spans\n")[1]
    found = re.search(r"```json\n(.*)\n```", section)
    assert found
    example = json.loads(found[1])
    for span in example["spans"]:
        assert example["text"][span["start"] : span["end"]] == span["text"]
