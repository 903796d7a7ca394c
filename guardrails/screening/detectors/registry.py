"""Every detector by its name. To add one: write its file, name its class here."""

from __future__ import annotations

import difflib

from screening.detectors.base import Detector
from screening.detectors.classifier import Classifier
from screening.detectors.grounding import Grounding
from screening.detectors.guard_llm import GuardLlmDetector
from screening.detectors.guardrails_ai import GuardrailsAi
from screening.detectors.injection import PromptInjection
from screening.detectors.json_schema import JsonSchema
from screening.detectors.limits import Language, Length
from screening.detectors.moderation import Moderation
from screening.detectors.pattern import Pattern
from screening.detectors.phrases import Phrases
from screening.detectors.pii import Pii
from screening.detectors.secrets import Secrets
from screening.sentences import say

_CLASSES: tuple[type[Detector], ...] = (
    Moderation,
    PromptInjection,
    Pii,
    Secrets,
    Phrases,
    Pattern,
    JsonSchema,
    Length,
    Language,
    GuardrailsAi,
    Classifier,
    GuardLlmDetector,
    Grounding,
)

DETECTORS: dict[str, type[Detector]] = {detector.name: detector for detector in _CLASSES}


class UnknownDetector(LookupError):
    """No detector has this name; the message suggests the closest one, or lists them all."""

    def __init__(self, name: str) -> None:
        close = difflib.get_close_matches(name, DETECTORS, n=1)
        self.name = name
        known = say("one of %(values)s", values=", ".join(sorted(DETECTORS)))
        self.hint = say("did you mean %(known)s?", known=close[0]) if close else known
        super().__init__(f"unknown detector {name}: {self.hint}")


def detector_type(name: str) -> type[Detector]:
    """Return the class of the detector called `name`; raise UnknownDetector."""
    try:
        return DETECTORS[name]
    except KeyError:
        raise UnknownDetector(name) from None
