"""Moderation and prompt injection: what they read from a prediction, and when a text speaks of a minor."""

from __future__ import annotations

import pytest

from screening.categories import MODEL_CATEGORIES, MODERATION_CATEGORIES, SEXUAL_MINORS
from screening.detectors.age_lexicon import mentions_minor
from screening.detectors.injection import PromptInjection, PromptInjectionOptions
from screening.detectors.moderation import Moderation, ModerationOptions
from screening.findings import Deadline, Prediction

SCORES = {category: place / 100 for place, category in enumerate(MODEL_CATEGORIES)}


def test_moderation_answers_for_every_category_in_order() -> None:
    hits = Moderation(ModerationOptions()).read("a plain text", Prediction(SCORES))
    assert tuple(hit.category for hit in hits) == MODERATION_CATEGORIES
    assert {hit.category: hit.score for hit in hits} == {
        **{category: SCORES[category] for category in MODERATION_CATEGORIES if category != SEXUAL_MINORS},
        SEXUAL_MINORS: SCORES["sexual"],
    }


def test_the_sexual_score_counts_for_minors_only_when_one_is_mentioned() -> None:
    moderation = Moderation(ModerationOptions())
    assert moderation.confirms(SEXUAL_MINORS, "about a 15-year-old")
    assert not moderation.confirms(SEXUAL_MINORS, "a plain text")
    assert moderation.confirms("sexual", "a plain text")


def test_an_incomplete_prediction_is_an_error_not_a_pass() -> None:
    with pytest.raises(KeyError):
        Moderation(ModerationOptions()).read("text", Prediction({"hate": 0.1}))
    with pytest.raises(KeyError):
        PromptInjection(PromptInjectionOptions()).read("text", Prediction({}))


def test_injection_answers_with_one_score() -> None:
    (hit,) = PromptInjection(PromptInjectionOptions()).read("text", Prediction(SCORES))
    assert (hit.category, hit.score, hit.start) == ("prompt_injection", SCORES["prompt_injection"], None)


def test_model_detectors_do_not_scan() -> None:
    with pytest.raises(TypeError, match="read"):
        Moderation(ModerationOptions()).detect("text", Deadline())


@pytest.mark.parametrize(
    "text",
    ["she is 15yo", "a 12 year old", "twelve-year-old twins", "aged 9", "Age: 16", "turned fourteen", "under 18",
     "below the age of eighteen", "k1d", "t e e n", "schооlgirl", "s.c.h.o.o.l.g.i.r.l", "15 y.o.", "17 y/o",
     "PRE-TEEN", "an under-age person", "t\u200been", "ｃｈｉｌｄ", "the minor", "１５ years old", "6\nyears old"],
)  # fmt: skip
def test_minors_are_recognised_however_it_is_spelled(text: str) -> None:
    assert mentions_minor(text)


@pytest.mark.parametrize(
    "text",
    ["18 years old", "a 25 year old", "115 yo", "minority", "kidney", "the age of consent", "sixteen candles",
     "a teeny bit", "tween1", "childish things are kidding", "in 15 years", "room 12", ""],
)  # fmt: skip
def test_adults_and_other_words_are_not(text: str) -> None:
    assert not mentions_minor(text)
