"""The rows that `manage.py train` reads: what is refused, in words that name the line, and what is warned of."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from string import ascii_lowercase

import pytest

from feedback.evaluation.held_out import HELD_OUT, folder_rows
from feedback.evaluation.rows import DataError
from feedback.training.data import about_minors, read_moderation
from feedback.training.pipeline import read_corpus
from feedback.training.spans import TextSpan, read_spans

MODERATION: dict[str, object] = {
    "id": "1",
    "source": "s",
    "kind": "post",
    "text": "secret",
    "labels": {},
    "flag": None,
    "licence": "x",
}
SPANS: dict[str, object] = {
    "id": "1",
    "source": "s",
    "text": "secret Ann",
    "spans": [],
    "annotated_types": "all",
    "licence": "x",
}


def _file(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def _span(start: object, end: object, label: object = "PERSON") -> dict[str, object]:
    return {"spans": [{"start": start, "end": end, "label": label}]}


Wrong = list[tuple[dict[str, object], str]]
MODERATION_ROWS: Wrong = [
    ({"labels": {"hate": 2}}, "labels.hate: Input should be less than or equal to 1"),
    ({"labels": {"hate": "yes"}}, "labels.hate: Input should be a valid integer"),
    ({"labels": {"harrasment": 1}}, "unknown category 'harrasment'; did you mean 'harassment'?"),
    ({"labels": None}, "labels: write each category that is known, with 0 or 1"),
    ({"labels": ["hate"]}, "labels: write each category that is known, with 0 or 1"),
    ({"flag": 2}, "flag: Input should be less than or equal to 1"),
    ({"text": None}, "text: Input should be a valid string"),
    ({"kind": None}, "kind: Input should be a valid string"),
    ({"source": "synthetic"}, "the name of our own texts; name it otherwise"),
    ({"flag": 0, "labels": {"hate": 0, "harassment": 1}}, "`flag` is 0, and harassment 1"),
    ({"flag": 0, "labels": {"profanity": 1, "sexual/minors": 1}}, "`flag` is 0, and sexual/minors 1"),
]
SPAN_ROWS: Wrong = [
    (_span(7, 99999), "a span does not lie inside the text; offsets count code points, the end excluded"),
    (_span(-5, 3), "spans.0.start: Input should be greater than or equal to 0"),
    (_span(5, 3), "a span does not lie inside the text"),
    (_span("x", 3), "spans.0.start: Input should be a valid integer"),
    (_span(0, 3, 7), "spans.0.label: Input should be a valid string"),
    ({"annotated_types": "PERSON"}, 'annotated_types: write a list of labels, or "all"'),
    ({"annotated_types": None}, 'annotated_types: write a list of labels, or "all"'),
    ({"spans": None}, "spans: Input should be a valid list"),
    ({"text": None}, "text: Input should be a valid string"),
    ({"source": "synthetic"}, "the name of our own texts; name it otherwise"),
]
#: What reads each file of a data folder, a row that it takes, and rows that it does not, with what it says of them.
FILES: dict[str, tuple[Callable[[Path], object], dict[str, object], Wrong]] = {
    "moderation_train.jsonl.gz": (read_moderation, MODERATION, MODERATION_ROWS),
    "pii_train.jsonl.gz": (read_spans, SPANS, SPAN_ROWS),
}


@pytest.mark.parametrize(
    ("name", "wrong", "why"), [(name, *case) for name, (_, _, cases) in FILES.items() for case in cases]
)
def test_a_bad_row_is_named_and_never_quoted(tmp_path: Path, name: str, wrong: dict[str, object], why: str) -> None:
    for other, (_, good, _) in FILES.items():
        _file(tmp_path / other, good)
    read, good, _ = FILES[name]
    path = _file(tmp_path / name, good, good | wrong)
    with pytest.raises(ValueError, match="line 2: ") as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}, line 2: ")
    assert why in str(raised.value)
    assert "secret" not in str(raised.value)
    with pytest.raises(DataError) as measured:
        folder_rows(tmp_path, HELD_OUT, seed=7)
    assert str(measured.value) == str(raised.value)


@pytest.mark.parametrize("field", sorted(MODERATION))
def test_a_moderation_row_without_a_field_names_it(tmp_path: Path, field: str) -> None:
    rest = {name: value for name, value in MODERATION.items() if name != field}
    with pytest.raises(ValueError, match=f"line 1: {field}: "):
        read_moderation(_file(tmp_path / "rows.jsonl.gz", rest))


def test_numbers_as_words_mean_what_they_say(tmp_path: Path) -> None:
    row = MODERATION | {"id": 5, "labels": {"profanity": "1", "violence": False}, "flag": "0"}
    (example,) = read_moderation(_file(tmp_path / "rows.jsonl.gz", row))
    assert (example.id, example.labels, example.flag) == ("5", {"profanity": 1, "violence": 0}, 0)
    (with_spans,) = read_spans(_file(tmp_path / "spans.jsonl.gz", SPANS | _span("7", "10") | {"template": None}))
    assert with_spans.spans == (TextSpan(7, 10, "PERSON"),)


def test_strong_language_alone_harms_nobody(tmp_path: Path) -> None:
    row = MODERATION | {"flag": 0, "labels": {"profanity": 1, "hate": 0}}
    (example,) = read_moderation(_file(tmp_path / "rows.jsonl.gz", row))
    assert (example.flag, example.labels) == (0, row["labels"])


def test_what_is_labelled_as_of_minors_is_not_trained_on(tmp_path: Path) -> None:
    (example,) = read_moderation(_file(tmp_path / "rows.jsonl.gz", MODERATION | {"labels": {"sexual/minors": 1}}))
    assert about_minors(example)


def test_labels_that_no_entity_stands_for_are_told(tmp_path: Path) -> None:
    _file(tmp_path / "moderation_train.jsonl.gz")
    other_scheme = SPANS | _span(7, 10, "PER") | {"annotated_types": ["PER", "LOC"]}
    _file(
        tmp_path / "pii_train.jsonl.gz", other_scheme, SPANS | _span(7, 10, None), SPANS | _span(7, 10, "PHONE_NUMBER")
    )
    said: list[str] = []
    read_corpus(tmp_path, seed=1, texts_share=0.01, warn=said.append)
    (warning,) = said
    assert "'PER' (did you mean 'PERSON'?), 'LOC' (did you mean 'LOCATION'?). What they mark" in warning
    assert "PHONE_NUMBER" not in warning, "patterns find those"


def test_labels_that_a_source_is_known_for_are_told_of_other_sources_only(tmp_path: Path) -> None:
    title, known = _span(7, 10, "TITLE"), {"source": "presidio_synth_v2"}
    said: list[str] = []
    path = _file(tmp_path / "spans.jsonl.gz", SPANS | title | known, SPANS | _span(7, 10, "AGE") | known)
    (left_out, _) = read_spans(path, warn=said.append)
    assert (said, left_out.spans) == ([], ())
    other = SPANS | title | {"source": "presidio_generated_large"}
    path = _file(path, other | {"annotated_types": ["TITLE", "AGE"]}, SPANS | _span(7, 10, "PER") | known)
    read_spans(path, warn=said.append)
    (warning,) = said
    assert "'AGE', 'PER' (did you mean 'PERSON'?). What they mark" in warning
    read_spans(_file(path, SPANS | title), warn=said.append)
    assert "'TITLE'. What they mark" in said[1], "nobody knows what another source calls a title"


def test_labels_that_somebody_stands_for_are_no_matter(tmp_path: Path) -> None:
    said: list[str] = []
    read_spans(_file(tmp_path / "spans.jsonl.gz", SPANS | _span(7, 10)), warn=said.append)
    assert said == []


def test_a_folder_with_too_little_is_refused_before_the_training(tmp_path: Path) -> None:
    _file(tmp_path / "moderation_train.jsonl.gz")
    _file(tmp_path / "pii_train.jsonl.gz", SPANS | _span(7, 10))
    with pytest.raises(ValueError, match=r"0 for train, 0 for calibration, 0 for test\): add rows to moderation_train"):
        read_corpus(tmp_path, seed=1, texts_share=0.0)
    rows = [MODERATION | {"id": letter, "text": letter * 9} for letter in ascii_lowercase]
    _file(tmp_path / "moderation_train.jsonl.gz", *rows)
    corpus = read_corpus(tmp_path, seed=1, texts_share=0.0)
    assert {*corpus.sides} == {"train", "calibration", "test"}
    _file(tmp_path / "pii_train.jsonl.gz")
    with pytest.raises(ValueError, match="add rows to pii_train"):
        read_corpus(tmp_path, seed=1, texts_share=0.0)
