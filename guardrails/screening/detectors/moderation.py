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
        # No model is trained on minors; any sexual text that speaks of one goes to a person by the sexual score.
        scores = {**prediction.scores, SEXUAL_MINORS: prediction.scores["sexual"]}
        return [Hit(category, scores[category]) for category in MODERATION_CATEGORIES]

    def confirms(self, category: str, text: str) -> bool:
        return category != SEXUAL_MINORS or mentions_minor(text)
