"""The registry: every detector by name, cheap to import, helpful when the name is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from screening.detectors.base import Detector, Options
from screening.detectors.registry import DETECTORS, UnknownDetector, detector_type

HEAVY = (
    "presidio_analyzer",
    "guardrails",
    "torch",
    "transformers",
    "spacy",
    "re2",
    "ahocorasick",
    "py3langid",
    "jsonschema",
)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_is_found_by_its_name(name: str) -> None:
    detector = detector_type(name)
    assert issubclass(detector, Detector)
    assert detector.name == name
    assert issubclass(detector.options_type, Options)


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownDetector, match="did you mean secrets") as refused:
        detector_type("secret")
    assert refused.value.hint == "did you mean secrets?"
    with pytest.raises(UnknownDetector, match="one of classifier, grounding"):
        detector_type("qqqq")


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys, screening.detectors.registry; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
