"""Texts from the data folder's templates: spans to the code point, and all that one template gives on one side."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path

import pytest

from feedback.training.span_sides import EACH, SPANS, TEMPLATES, spans_with_sides
from feedback.training.spans import read_spans
from feedback.training.templates import SOURCE, filled, read_templates

FOLDER_LINES = (
    "The parcel for {{name}} waits at {{building_number}} {{street_name}}, {{city}}.",
    "Write to:\\n{{organization}}\\n{{address}}",
    "Card {{credit_card_number}} of {{person}} was blocked on {{date_time}}",
    "Nobody is named in this sentence",
    "{{person}}\\n{{city}}",
)
LEFT_OUT = ("My code is {{zipcode}}", "Say {person} to {{name}}", "Say {{ name }}", "{{first-name}} is here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / TEMPLATES).write_text("\n".join([*FOLDER_LINES, *LEFT_OUT, "", FOLDER_LINES[0]]), encoding="utf-8")
    return tmp_path / TEMPLATES


def test_each_template_is_read_once_and_one_with_a_slot_that_we_lack_never(path: Path) -> None:
    templates = read_templates(path)
    assert set(templates) == {line.replace("\\n", "\n") for line in FOLDER_LINES}
    assert templates == sorted(templates)
    path.write_bytes("café".encode("latin-1"))
    with pytest.raises(ValueError, match="utf-8"):
        read_templates(path)


def test_every_template_is_filled_the_same_for_the_same_seed(path: Path) -> None:
    templates = read_templates(path)
    examples = filled(templates, seed=3, each=5)
    assert len(examples) == 5 * (len(FOLDER_LINES) - 1) + 1
    assert len({e.id for e in examples}) == len(examples)
    assert not any("{" in e.text for e in examples)
    assert filled(templates, seed=3, each=5) == examples != filled(templates, seed=4, each=5)


def test_the_side_of_a_template_does_not_depend_on_how_many_texts_are_made(path: Path) -> None:
    sides = []
    for share, seed in product((0.05, 0.2), (2, 5, 9)):
        dealt = zip(*spans_with_sides([], path.parent, seed=seed, share=share), strict=True)
        sides.append({example.form: side for example, side in dealt if example.form})
    assert sides[:3] == sides[3:]
    assert len({tuple(one.items()) for one in sides}) > 1, "it depends on the seed"


def test_each_slot_is_a_span_of_its_entity_or_none(path: Path) -> None:
    examples = filled(read_templates(path), seed=3, each=5)
    parcels = [e for e in examples if e.text.casefold().startswith("the parcel")]
    assert len(parcels) == 5
    for example in parcels:
        name, street, city = (example.text[s.start : s.end] for s in example.spans)
        assert [s.label for s in example.spans] == ["PERSON", "ADDRESS", "LOCATION"]
        assert street.partition(" ")[0].isdigit()
        made = f"the parcel for {name} waits at {street}, {city}."
        assert example.text.casefold() == made.casefold()
    cards = [e for e in examples if e.text.casefold().startswith("card")]
    assert [tuple(s.label for s in e.spans) for e in cards] == [("PERSON", "DATE_TIME")] * 5


def test_what_is_made_of_a_template_is_on_one_side_whoever_made_it(tmp_path: Path) -> None:
    lines = [f"{word} is what {{{{person}}}} said" for word in ("blue", "cold", "deaf", "even", "fine", "glad", "high")]
    (tmp_path / TEMPLATES).write_text("\n".join(lines), encoding="utf-8")
    rows = [
        {"id": f"x-{i}-{name}", "source": "others", "text": line.replace("{{person}}", name).upper(), "spans": [],
         "template": line.replace("person", "PERSON"), "licence": "MIT", "annotated_types": "all"}
        for i, line in enumerate(lines)
        for name in ("Ann", "Ben", "Cem")
    ]  # fmt: skip
    (tmp_path / SPANS).write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    # A seed with which all three sides are drawn.
    examples, sides = spans_with_sides(read_spans(tmp_path / SPANS), tmp_path, seed=4, share=0.05)
    of_form: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for example, side in zip(examples, sides, strict=True):
        if example.form:
            of_form.setdefault(example.form, set()).add(side)
            sources.setdefault(example.form, set()).add(example.source)
    assert len(of_form) == len(lines)
    assert all(own == {"others", SOURCE} for own in sources.values())
    assert all(len(own) == 1 for own in of_form.values())
    assert set.union(*of_form.values()) == {"train", "calibration", "test"}
    assert sum(e.source == SOURCE for e in examples) == len(lines) * EACH * 0.05


def test_a_folder_without_templates_has_only_our_own(tmp_path: Path) -> None:
    examples, sides = spans_with_sides([], tmp_path, seed=3, share=0.01)
    assert {e.source for e in examples} == {"synthetic"}
    assert len(sides) == len(examples)
