"""From what the token head says of word pieces to spans: whole words, windows stitched, code points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from screening.findings import Span
from workers.runtimes import token_spans
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.joint import TOKEN_LABELS
from workers.runtimes.token_spans import spans_of
from workers.runtimes.windows import Window

TEXT = "\U0001f600 Zofia Wawrzyniakowska met Ann in Reykjavik; nobody else came to the old harbour that day. " * 4
TOKENIZER = load_tokenizer()
Marks = dict[str, str]


def found(text: str, marks: Marks, *, size: int, overlap: int) -> tuple[Span, ...]:
    windows = TOKENIZER.windows([text], size=size, overlap=overlap)
    return spans_of(windows, [_logits(text, w, marks) for w in windows], overlap=overlap, later=TOKENIZER.later)


def _logits(text: str, window: Window, marks: Marks) -> np.ndarray:
    """Say the label of `marks` of each word piece that it names, "O" of the others."""
    rows = np.zeros((len(window.ids), len(TOKEN_LABELS)))
    for at, (start, end) in enumerate(window.offsets, start=1):
        rows[at, TOKEN_LABELS.index(marks.get(text[start:end], "O"))] = 6.0
    return rows


def words(text: str, spans: Sequence[Span]) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in spans]


def _marks() -> Marks:
    marks: Marks = {"Ann": "B-PERSON"}
    for word, entity in (("Zofia", "PERSON"), ("Reykjavik", "LOCATION")):
        first, *rest = _pieces(word)
        marks |= {TEXT[slice(*first)]: f"B-{entity}"} | {TEXT[slice(*piece)]: f"I-{entity}" for piece in rest}
    return marks | {TEXT[slice(*piece)]: "I-PERSON" for piece in _pieces("Wawrzyniakowska")}


def test_spans_are_whole_words_in_code_points() -> None:
    expected = [("PERSON", "Zofia Wawrzyniakowska"), ("PERSON", "Ann"), ("LOCATION", "Reykjavik")]
    assert words(TEXT, found(TEXT, _marks(), size=512, overlap=32)) == expected * 4


def test_spans_are_the_same_however_the_text_is_cut() -> None:
    whole, cut = (found(TEXT, _marks(), size=size, overlap=12) for size in (512, 30))
    assert words(TEXT, whole) == words(TEXT, cut)
    assert [s.score for s in whole] == pytest.approx([s.score for s in cut])


def test_a_name_that_begins_ends_the_one_before() -> None:
    assert words("Ann Bob", found("Ann Bob", {"Ann": "B-PERSON", "Bob": "B-PERSON"}, size=32, overlap=8)) == [
        ("PERSON", "Ann"),
        ("PERSON", "Bob"),
    ]
    assert words("Ann Bob", found("Ann Bob", {"Ann": "B-PERSON", "Bob": "I-PERSON"}, size=32, overlap=8)) == [
        ("PERSON", "Ann Bob")
    ]


def test_a_text_without_words_has_no_spans() -> None:
    assert found("", {}, size=32, overlap=8) == ()


def _pieces(word: str) -> list[tuple[int, int]]:
    at = TEXT.index(word)
    (window,) = TOKENIZER.windows([TEXT], size=512, overlap=8)
    return [(s, e) for s, e in window.offsets if at <= s and e <= at + len(word)]


@pytest.mark.parametrize("sharp", [1.5, 3.0])
def test_the_short_way_finds_the_likeliest_sequence(sharp: float, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    words = [sharp * chance.normal(size=(12, 11)) + 4 * (np.arange(11) == 0) for _ in range(300)]
    short = [token_spans._likeliest(logs) for logs in words]
    assert {token_spans._follows(logs.argmax(axis=1)) for logs in words} == {True, False}
    monkeypatch.setattr(token_spans, "_follows", lambda labels: False)
    assert short == [token_spans._likeliest(logs) for logs in words]
