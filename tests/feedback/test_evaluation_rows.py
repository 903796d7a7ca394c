"""Rows to evaluate on, from every form of file, and what is said of a file that is none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from feedback.evaluation.held_out import HELD_OUT, folder_rows
from feedback.evaluation.rows import DataError, read_rows
from feedback.training.data import read_moderation
from feedback.training.spans import TextSpan, read_spans
from feedback.training.traffic import replayed
from screening.categories import MODEL_CATEGORIES

MASK = [1] + [0] * 12
PERSON = {"start": 0, "end": 6, "label": "PERSON"}


def _file(path: Path, *lines: object) -> Path:
    data = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_labels_spans_and_our_exports_are_read(tmp_path: Path) -> None:
    moderation = {"text": "a", "labels": {"hate": 1, "violence": False}, "flag": None, "source": "s", "lang": "en"}
    exported = {"prompt": "p", "response": "r", "labels": [1.0] + [0.0] * 12, "label_mask": MASK, "sample_weight": 50.0}
    span = {"start": 1, "end": 3, "label": "PERSON", "text": "in"}
    spans = {"text": "🙂in", "spans": [span], "offset_unit": "codepoint"}
    named_none = {"start": 0, "end": 1, "label": None}
    partly = {"text": "x", "spans": [named_none], "annotated_types": ["PERSON"]}
    safe = {"text": "fine", "flag": 0, "kind": "response"}
    foul = {"text": "damn", "flag": 0, "labels": {"profanity": 1}}
    nobody = {"text": "reviewed by no chance", "flag": 0, "sample_weight": 0.0}
    path = _file(tmp_path / "all.jsonl.gz", moderation, exported, "", spans, partly, safe, foul, nobody)
    rows = read_rows(path)
    assert rows[0].labels == {"hate": 1, "violence": 0}
    assert rows[0].slices == {"source": "s", "language": "en", "length": "under 100"}
    assert (rows[1].text, rows[1].labels, rows[1].slices["kind"]) == ("r", {"harassment": 1}, "response")
    assert (rows[2].spans, rows[2].annotated) == ((TextSpan(1, 3, "PERSON"),), None)
    assert (rows[3].spans, rows[3].annotated) == ((), frozenset({"PERSON"}))
    assert [row.weight for row in rows] == [1, 50, 1, 1, 1, 1], "what stands for no text is left out"
    with pytest.raises(DataError, match="take that field out"):
        read_rows(_file(tmp_path / "none.jsonl", nobody))
    assert [row.benign for row in rows] == [False, False, False, False, True, False]
    every = _file(tmp_path / "every.jsonl", {"text": "a", "labels": dict.fromkeys(MODEL_CATEGORIES, 0)})
    assert read_rows(every)[0].benign


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "is no JSON object; write one object a line, UTF-8"),
        ('"secret"', "is no JSON object"),
        ('[{"text": "secret", "flag": 0}]', "is a JSON array or part of one; write one object a line, UTF-8"),
        ({"labels": {"hate": 1}}, "missing or empty"),
        ({"text": "secret"}, "none of `labels`, `spans` and `flag`"),
        ({"text": "secret", "labels": {"hat": 1}}, "unknown category 'hat'; did you mean 'hate'"),
        ({"text": "secret", "labels": {"hate": 2}}, "labels.hate"),
        ({"text": "secret", "labels": [1.0] + [0.0] * 12}, "label_mask"),
        ({"text": "secret", "labels": [2] + [0] * 12, "label_mask": MASK}, "need 0 or 1 for each of 13 categories"),
        ({"text": "secret", "labels": [0.5] + [0] * 12, "label_mask": MASK}, "need 0 or 1 for each of 13 categories"),
        ({"text": "secret", "labels": [-3] + [0] * 12, "label_mask": MASK}, "need 0 or 1 for each of 13 categories"),
        ({"text": "secret", "labels": [1, 0, 0], "label_mask": [1, 1, 1]}, "need 0 or 1 for each of 13 categories"),
        ({"text": "secret", "labels": [0] * 14, "label_mask": [1] * 14}, "need 0 or 1 for each of 13 categories"),
        ({"text": "secret", "labels": ["hate"]}, "labels.0: Input should be a valid number"),
        ({"text": "secret", "labels": "hate"}, "labels: write each category with 0 or 1, or a list"),
        ({"text": "secret", "spans": [{"start": 2, "end": 99, "label": "PERSON"}]}, "does not lie inside"),
        ({"text": "secret", "spans": [{"start": 0, "label": "PERSON"}]}, "spans.0.end"),
        ({"text": "secret", "spans": [[0, 6, "PERSON"]]}, "line 2: spans.0: Input should be an object"),
        (
            {"text": "secret", "spans": [], "annotated_types": "PERSON"},
            'annotated_types: write a list of labels, or "all"',
        ),
        ({"text": "secret", "spans": [], "annotated_types": [1]}, "annotated_types.0: Input should be a valid string"),
        (
            {"text": "secret", "spans": [PERSON], "annotated_types": ["LOCATION"]},
            "'PERSON', which `annotated_types` lacks",
        ),
        ({"text": "secret", "flag": 0, "labels": {"hate": 0, "harassment": 1}}, "`flag` is 0, and harassment 1"),
        ('{"text": "secret \\ud800", "flag": 0}', "half a character"),
        ('{"text": "secret \\udc00 b", "flag": 0}', "half a character"),
        ({"text": "secret", "flag": 0, "sample_weight": -1}, "sample_weight"),
        ('{"text": "secret", "flag": 0, "sample_weight": Infinity}', "sample_weight"),
    ],
)
def test_a_bad_line_is_named_and_never_quoted(tmp_path: Path, line: object, why: str) -> None:
    path = _file(tmp_path / "rows.jsonl", {"text": "fine", "flag": 0}, line)
    with pytest.raises(DataError) as raised:
        read_rows(path)
    assert f"{path}, line 2: " in str(raised.value)
    assert why in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_empty_or_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        read_rows(_file(tmp_path / "empty.jsonl"))


def _flipped(data: bytes) -> bytes:
    return data[:200] + bytes([data[200] ^ 0xFF]) + data[201:]


@pytest.mark.parametrize("broken", [lambda data: data[:-40], _flipped, lambda data: b"{}" + data])
def test_a_gzip_file_that_is_cut_off_or_damaged_is_named(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    named = dict.fromkeys(("id", "source", "kind", "licence", "response"), "x")
    known = {"flag": 0, "labels": {}, "spans": [], "annotated_types": "all"}
    lines = [named | known | {"text": f"text {i * 7919 % 1000}"} for i in range(500)]
    path = _file(tmp_path / "moderation_train.jsonl.gz", *lines)
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(DataError, match="no whole gzip file"):
        read_rows(path)
    with pytest.raises(DataError, match="no whole gzip file"):
        folder_rows(tmp_path, HELD_OUT, seed=7)
    for read in (read_moderation, read_spans, partial(replayed, seed=7)):
        with pytest.raises(ValueError, match="no whole gzip file"):
            read(path)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"text": "fine", "flag": 0}\n')
    assert [row.text for row in read_rows(path)] == ["fine"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ('{"text": "café", "flag": 0}\n'.encode("latin-1"), "is not UTF-8"),
        ('{"text": "fine", "flag": 0}\n'.encode("utf-16"), "is not UTF-8"),
        (b'[\n {"text": "fine", "flag": 0}\n]\n', "is a JSON array or part of one"),
    ],
)
def test_another_form_of_file_is_told_what_is_wanted(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    for read in (read_rows, read_moderation, read_spans, partial(replayed, seed=7)):
        with pytest.raises(ValueError, match=f"line 1: {why}; write one object a line, UTF-8"):
            read(path)
