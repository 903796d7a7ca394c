"""Our own texts with personal data: spans that are right to the code point, and templates on one side only."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.training.data import split, template_of
from feedback.training.pii_grammar import PII_TEXTS, generate_spans
from feedback.training.spans import PII_LABELS, SpanExample, TextSpan, read_spans, whole
from webapp.local.process_table import PROJECT


@pytest.fixture(scope="module")
def examples() -> list[SpanExample]:
    return generate_spans(seed=5, share=0.2)


def test_the_same_seed_gives_the_same_texts(examples: list[SpanExample]) -> None:
    assert generate_spans(seed=5, share=0.2) == examples
    assert {e.text for e in generate_spans(seed=6, share=0.2)}.isdisjoint(e.text for e in examples if len(e.spans) > 2)


def test_the_texts_do_not_hang_on_the_hashes_of_a_process() -> None:
    # Each process orders its sets in a way of its own; a run that goes on from a checkpoint is another process.
    program = (
        "from feedback.training.entities import faker as f; f('it_IT').seed_instance(1); print("
        "[f('it_IT').city() for _ in range(40)])"
    )
    shown = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=PROJECT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert shown[0] == shown[1] != ""


def test_spans_lie_inside_their_text_in_order_and_apart(examples: list[SpanExample]) -> None:
    for example in examples:
        ends = [0, *(s.end for s in example.spans)]
        assert all(s.start >= end and s.start < s.end for s, end in zip(example.spans, ends, strict=False))
        assert ends[-1] <= len(example.text)
        assert all(example.text[s.start : s.end].strip() for s in example.spans)


def test_what_a_template_names_is_what_its_span_covers(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text((PII_TEXTS / "common.yaml").read_text())
    (tmp_path / "one.yaml").write_text(
        "groups: [{name: g, kind: json, count: 200, cased: true, "
        'templates: ["\\U0001F600 {\\"who\\": \\"{person}\\", \\"at\\": \\"{org}\\"}"]}]'
    )
    for example in generate_spans(seed=1, folder=tmp_path):
        who, at = example.spans
        assert (who.label, at.label) == ("PERSON", "ORGANIZATION")
        row = json.loads(example.text[2:])
        assert row["who"] == example.text[who.start : who.end]
        assert row["at"].removeprefix("the ") == example.text[at.start : at.end]


def test_titles_and_words_that_are_also_names_are_not_people(examples: list[SpanExample]) -> None:
    named = {e.text[s.start : s.end] for e in examples for s in e.spans if s.label == "PERSON"}
    assert not any(name.startswith(("Dr.", "Mrs.", "Prof.")) for name in named)
    assert all(not e.spans for e in examples if ":pii-nothing:" in e.id)


def test_texts_are_many_kinds_and_names_are_of_many_scripts(examples: list[SpanExample]) -> None:
    labels = [s.label for e in examples for s in e.spans]
    assert {label: labels.count(label) > 300 for label in PII_LABELS} == dict.fromkeys(PII_LABELS, True)
    assert {e.kind for e in examples} == {"sentence", "chat", "prompt", "response", "letter", "table", "json", "code"}
    names = {e.text[s.start : s.end] for e in examples for s in e.spans if s.label == "PERSON"}
    assert len(names) > 0.8 * labels.count("PERSON")
    assert sum(not n.isascii() for n in names) > 0.15 * len(names)
    assert sum(n == n.lower() for n in names) > 0.05 * len(names)


def test_a_template_is_on_one_side_only(examples: list[SpanExample]) -> None:
    sides: dict[str, set[str]] = {}
    for example, side in zip(examples, split(examples, seed=7), strict=True):
        sides.setdefault(template_of(example), set()).add(side)
    assert all(len(own) == 1 for own in sides.values())
    assert {side for own in sides.values() for side in own} == {"train", "calibration", "test"}


def test_rows_with_spans_are_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pii.jsonl.gz"
    row = {"id": "1", "source": "s", "text": "é Ann", "licence": "x", "annotated_types": ["PERSON"]}
    spans = [{"start": 2, "end": 5, "label": "PERSON"}, {"start": 0, "end": 1, "label": "TITLE"}]
    path.write_bytes(gzip.compress(json.dumps(row | {"spans": spans}).encode() + b"\n{}\n"))
    with pytest.raises(ValueError, match="line 2"):
        read_spans(path)
    path.write_bytes(gzip.compress(json.dumps(row | {"spans": spans}).encode()))
    (example,) = read_spans(path)
    assert example.spans == (TextSpan(2, 5, "PERSON"),)
    assert example.annotated == {"PERSON"}


def test_spans_are_what_a_reader_would_mark() -> None:
    text = "@ann: 12 Elm Road\n Flat 3, Leeds"
    name, number, street = TextSpan(1, 4, "PERSON"), TextSpan(6, 8, "ADDRESS"), TextSpan(9, 17, "ADDRESS")
    flat, city = TextSpan(19, 25, "ADDRESS"), TextSpan(27, 32, "LOCATION")
    marked = [city, flat, street, number, name, TextSpan(0, 1, "PERSON"), TextSpan(9, 12, "PERSON")]
    assert whole(text, marked) == (name, TextSpan(6, 25, "ADDRESS"), city)
    assert whole(text, [street, TextSpan(26, 32, "ADDRESS")]) == (street, TextSpan(26, 32, "ADDRESS"))
