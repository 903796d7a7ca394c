"""`moderation`: the guard model's scores for content categories."""

from __future__ import annotations

from screening.categories import MODERATION_CATEGORIES, SEXUAL_MINORS
from screening.detectors.age_lexicon import mentions_minor
from screening.detectors.base import ModelDetector, Options
from screening.findings import Hit, Prediction


class ModerationOptions(Options):
    """Nothing to set: which categories count, and from which score, is the rule's `categories`."""


class Moderation(ModelDetector):
    name = "moderation"
    labels = frozenset(MODERATION_CATEGORIES)
    options_type = ModerationOptions

    def __init__(self, options: ModerationOptions) -> None:
        self.options = options

    def read(self, text: str, prediction: Prediction) -> list[Hit]:
        """Return a hit with its score for every moderation category, in the order of MODERATION_CATEGORIES.

        Raise KeyError when the prediction lacks a category, so that an incomplete model makes the rule unscanned.
        """
        return [Hit(category, _score(category, text, prediction)) for category in MODERATION_CATEGORIES]


def _score(category: str, text: str, prediction: Prediction) -> float:
    if category != SEXUAL_MINORS:
        return prediction.scores[category]
    # No model is trained on this; any sexual text that speaks of a minor goes to a person by the sexual score.
    return prediction.scores["sexual"] if mentions_minor(text) else 0.0
