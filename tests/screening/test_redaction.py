"""Redacted texts: nothing of a span is left, everything else is."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from screening.redaction import RedactionSpan, merge, redact

KEY = b"k"
ACTIONS: tuple[Literal["redact", "mask", "hash"], ...] = ("redact", "mask", "hash")


def test_a_span_gives_way_to_its_label() -> None:
    assert redact("mail ann@x.org now", [RedactionSpan(5, 14, "EMAIL_ADDRESS", "redact")], KEY) == (
        "mail [EMAIL_ADDRESS] now"
    )


def test_offsets_are_code_points() -> None:
    assert redact("😀👩‍👩‍👧 x@y.z", [RedactionSpan(7, 12, "E", "redact")], KEY) == "😀👩‍👩‍👧 [E]"


def test_a_mask_keeps_the_last_four_of_a_long_value() -> None:
    assert redact("4111 1111 1111 1234", [RedactionSpan(0, 19, "C", "mask")], KEY) == "**** **** **** 1234"


def test_a_mask_keeps_nothing_of_a_short_value() -> None:
    assert redact("12345", [RedactionSpan(0, 5, "C", "mask")], KEY) == "*****"


def test_equal_values_hash_equally_under_one_key_only() -> None:
    spans = [RedactionSpan(0, 3, "N", "hash"), RedactionSpan(4, 7, "N", "hash")]
    first, second = redact("abc abc", spans, KEY).split(" ")
    assert first == second
    assert redact("abc abc", spans, b"other").split(" ")[0] != first


def test_of_overlapping_spans_the_longest_names_and_the_strictest_hides() -> None:
    spans = [RedactionSpan(0, 10, "LONG", "mask"), RedactionSpan(5, 12, "SHORT", "redact")]
    assert redact("0123456789abcdef", spans, KEY) == "[LONG]cdef"


texts = st.text(min_size=1, max_size=60)
spans = st.lists(
    st.builds(
        lambda one, other, action: RedactionSpan(min(one, other), max(one, other), "L", action),
        st.integers(0, 60),
        st.integers(0, 60),
        st.sampled_from(ACTIONS),
    ),
    max_size=8,
)


@given(text=texts, given_spans=spans)
def test_merged_spans_cover_the_same_code_points_once(text: str, given_spans: list[RedactionSpan]) -> None:
    merged = merge(given_spans, len(text))
    covered = [index for span in merged for index in range(span.start, span.end)]
    asked = {i for span in given_spans if span.start < span.end for i in range(span.start, min(span.end, len(text)))}
    assert covered == sorted(asked)


@given(text=texts, given_spans=spans)
def test_what_no_span_covers_stays(text: str, given_spans: list[RedactionSpan]) -> None:
    removed = {i for span in merge(given_spans, len(text)) for i in range(span.start, span.end)}
    kept = "".join(char for index, char in enumerate(text) if index not in removed)
    remaining = iter(redact(text, given_spans, KEY))
    assert all(char in remaining for char in kept)
