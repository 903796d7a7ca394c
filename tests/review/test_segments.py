from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from review.segments import LONGEST, chunks, segments
from review.templatetags.review_text import marked
from webapp.interception.models import Finding


def place(start: int, end: int, category: str = "EMAIL_ADDRESS", detector: str = "pii", id: int = 1) -> Finding:
    return Finding(id=id, category=category, detector=detector, start=start, end=end, target="output")


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), max_size=8))
def test_pieces_join_to_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    pieces = segments(text, [place(start, end) for start, end in spans], numbers={1: 1})
    assert "".join(piece.text for piece in pieces) == text


def test_a_character_of_thousands_of_marks_ends() -> None:
    for text in (
        "Z" + "\u0301" * 3 * LONGEST,
        ("a" * LONGEST + "\u0301" * 2 * LONGEST) * 2,
        "\U0001f469\u200d" * LONGEST,
    ):
        found = chunks(text, [], numbers={})
        assert "".join(piece.text for chunk in found for piece in chunk) == text
        assert max(sum(len(piece.text) for piece in chunk) for chunk in found) <= LONGEST


def test_offsets_count_code_points() -> None:
    text = "😀👩‍👩 ann@example.com 😀"
    at = text.index("ann@")
    pieces = segments(text, [place(at, at + 15)], numbers={1: 1})
    assert [piece.text for piece in pieces if piece.findings] == ["ann@example.com"]


def test_overlapping_findings_share_a_piece_that_names_both() -> None:
    pieces = segments("abcdefgh", [place(1, 5, "PHONE", id=71), place(3, 7, "CARD", id=72)], numbers={71: 1, 72: 2})
    assert [(piece.text, piece.label, piece.names) for piece in pieces] == [
        ("a", "", ""),
        ("bc", "PHONE", "1"),
        ("de", "PHONE + CARD", "1 2"),
        ("fg", "CARD", "2"),
        ("h", "", ""),
    ]


def test_marks_escape_texts_and_labels() -> None:
    html = marked(segments("<b>x</b>", [place(3, 4, '"><i>')], numbers={1: 1}))
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;<mark" in html
