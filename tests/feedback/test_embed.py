"""Texts amid harmless prose: whole, the same for the same seed, and as many as asked for."""

from __future__ import annotations

from feedback.training.embed import FEWEST, LONGEST, MOST, embedded, prose_of

TEXT = "I will find you and I will hurt you."
PROSE = prose_of(
    [" ".join(f"Sentence {number} of text {text} says nothing of note." for number in range(30)) for text in range(5)]
)


def test_a_text_stands_whole_amid_sentences_of_one_text() -> None:
    for text in embedded([TEXT] * 200, PROSE, share=1.0, seed=7):
        before, after = text.split(TEXT)
        around = before.split() + after.split()
        assert len({word for word, last in zip(around[1:], around, strict=False) if last == "text"}) <= 1
        assert 8 <= len(around) <= MOST + 8
        assert not before or before[-1] in " \n"


def test_prose_is_before_it_behind_it_and_on_both_sides() -> None:
    texts = embedded([TEXT] * 300, PROSE, share=1.0, seed=7)
    assert any(text.startswith(TEXT) for text in texts)
    assert any(text.endswith(TEXT) for text in texts)
    lengths = [len(text.split()) - len(TEXT.split()) for text in texts]
    assert min(lengths) < 2 * FEWEST
    assert max(lengths) > 0.9 * MOST
    assert sum(length < 35 for length in lengths) > 90, "short surroundings are as frequent as long ones"


def test_as_many_as_asked_for_and_the_same_for_the_same_seed() -> None:
    texts = [f"{TEXT} {number}" for number in range(1_000)]
    some = embedded(texts, PROSE, share=0.2, seed=1)
    assert some == embedded(texts, PROSE, share=0.2, seed=1) != embedded(texts, PROSE, share=0.2, seed=2)
    assert 150 < sum(a != b for a, b in zip(texts, some, strict=True)) < 250
    assert embedded(texts, PROSE, share=0.0, seed=1) == embedded(texts, [], share=1.0, seed=1) == texts


def test_long_texts_stay_and_texts_of_few_sentences_are_no_prose() -> None:
    long = "word " * (LONGEST + 1)
    assert embedded([long], PROSE, share=1.0, seed=1) == [long]
    assert prose_of(["One sentence.", "Two. Sentences here.", ""]) == []
