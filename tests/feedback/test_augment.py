"""Disturbed texts: the same for the same seed, readable still, and as many as asked for."""

from __future__ import annotations

import random

import pytest

from feedback.training.augment import ALIKE, KINDS, LEET, WAYS, augmented, disturb

TEXT = "They walked along the river until the evening, talking about nothing of importance."


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_text_is_disturbed_and_the_same_seed_does_it_the_same(kind: str) -> None:
    first = [disturb(TEXT, kind, random.Random(seed)) for seed in range(20)]
    assert first == [disturb(TEXT, kind, random.Random(seed)) for seed in range(20)]
    assert sum(text != TEXT for text in first) >= 15
    assert len(set(first)) >= 3


def test_typos_change_a_letter_of_some_words() -> None:
    for seed in range(50):
        words = zip(TEXT.split(), disturb(TEXT, "typos", random.Random(seed)).split(), strict=True)
        changed = [(before, after) for before, after in words if before != after]
        assert all(abs(len(before) - len(after)) <= 1 and before[0] == after[0] for before, after in changed)


@pytest.mark.parametrize("way", WAYS)
def test_an_obfuscated_word_can_still_be_read(way: object) -> None:
    word = way("message")  # type: ignore[operator]
    back = {like: letter for table in (ALIKE, LEET) for letter, like in table.items()}
    folded = "".join(c for c in word if c.isalpha() or ord(c) in back or c == "*").translate(back).lower()
    assert len(folded) == len("message")
    assert all(a in (b, "*") for a, b in zip(folded, "message", strict=True))


def test_as_many_are_disturbed_as_asked_for() -> None:
    texts = [f"{TEXT} {number}" for number in range(1_000)]
    assert augmented(texts, share=0.0, seed=1) == texts
    some = augmented(texts, share=0.3, seed=1)
    assert some == augmented(texts, share=0.3, seed=1) != augmented(texts, share=0.3, seed=2)
    assert 200 < sum(a != b for a, b in zip(texts, some, strict=True)) < 330
