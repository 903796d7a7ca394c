"""The reference page names every detector, option and thing that is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from screening.detectors.phrases import PhraseList
from screening.detectors.pii import ENTITIES as PII
from screening.detectors.registry import DETECTORS
from screening.detectors.secret_patterns import ENTITIES as SECRETS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "detectors.md").read_text()
SECTIONS = {part.split("\n", 1)[0]: part for part in re.split(r"^## ", PAGE, flags=re.M)[1:]}


def test_there_is_one_section_a_detector() -> None:
    assert set(SECTIONS) == set(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_section_names_every_option_and_label(name: str) -> None:
    detector = DETECTORS[name]
    fields = detector.options_type.model_fields
    names = {field.alias or name for name, field in fields.items()} | set(detector.labels or ())
    assert [each for each in sorted(names) if f"`{each}`" not in SECTIONS[name]] == []


def test_entities_of_pii_secrets_and_lists_are_all_there() -> None:
    assert [each for each in PII if f"`{each}`" not in SECTIONS["pii"]] == []
    assert [each for each in SECRETS if f"`{each}`" not in SECTIONS["secrets"]] == []
    assert [each for each in PhraseList.model_fields if f"`{each}`" not in SECTIONS["phrases"]] == []
