"""`prompt_injection`: the guard model's score for text that tries to take over the instructions."""

from __future__ import annotations

from screening.detectors.base import ModelDetector, Options
from screening.findings import Hit, Prediction

CATEGORY = "prompt_injection"


class PromptInjectionOptions(Options):
    """Nothing to set: the threshold is in the rule's `categories`."""


class PromptInjection(ModelDetector):
    name = "prompt_injection"
    labels = frozenset({CATEGORY})
    options_type = PromptInjectionOptions

    def __init__(self, options: PromptInjectionOptions) -> None:
        self.options = options

    def read(self, text: str, prediction: Prediction) -> list[Hit]:
        """Return one hit with the score; raise KeyError when the prediction has none."""
        return [Hit(CATEGORY, prediction.scores[CATEGORY])]
