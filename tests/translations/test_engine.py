"""What is wrong with a policy, in the writer's language: no sentence of the engine is left in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from screening.models_file import SETTING, ModelsFileError, parse_models
from screening.policy import Issue, PolicyError, parse_policy
from screening.sentences import Sentence
from tests.screening.test_models_file import FAULTY as FAULTY_FILES
from tests.screening.test_models_file import FILE
from tests.screening.test_policy import FAULTY, GOOD
from webapp.sentences import said

RULE = "name: p\nrules:\n  - {{id: r, detector: {}, options: {{{}}}, entities: {{'*': flag}}}}\n"
#: Detector and options: one of each kind of mistake.
OPTIONS = (
    ("length", ""),
    ("length", "max_characters: 0"),
    ("length", "max_characters: many"),
    ("length", "max_characters: 1.5"),
    ("length", "max_characters: 2, min_characters: 3"),
    ("language", "allowed: [xx]"),
    ("language", "allowed: [eng]"),
    ("language", "allowed: en"),
    ("language", "allowed: []"),
    ("language", "allowed: [en], min_confidence: 2"),
    ("language", "allowed: [en], min_confidence: high"),
    ("pii", "language: xx"),
    ("pattern", "patterns: {a: '(?=b)'}"),
    ("pattern", "patterns: {a: 'b*'}"),
    ("pattern", "patterns: {a: ''}"),
    ("pattern", "patterns: {a: 1}"),
    ("pattern", "patterns: [a]"),
    ("pattern", "patterns: {a: '((a{100}){100}){100}'}"),
    ("phrases", 'lists: {a: {terms: ["\\u200b"]}}'),
    ("phrases", "lists: {a: {terms: [b], whole_word: 7}}"),
    ("json_schema", "schema: {$ref: 'https://example.com'}"),
    ("json_schema", "schema: {pattern: '(?=b)'}"),
    ("classifier", "model: toxik"),
    ("classifier", "model: toxic"),
    ("guard_llm", "model: guards"),
    ("grounding", "judge: ''"),
)


def faults(document: str) -> list[Issue]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(document)
    return refused.value.issues


def sentences(issues: list[Issue]) -> Iterator[Sentence]:
    for issue in issues:
        yield issue.message
        if issue.hint:
            yield issue.hint


def left_in_english(issues: list[Issue]) -> list[str]:
    with translation.override("de"):
        return [text for text in sentences(issues) if said(text) == str(text)]


@pytest.mark.parametrize("document", [document for document, _ in FAULTY])
def test_mistakes_of_a_policy_are_said_in_german(document: str) -> None:
    assert left_in_english(faults(document)) == []


@pytest.mark.parametrize(("detector", "options"), OPTIONS)
def test_mistakes_of_options_are_said_in_german(
    detector: str, options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models.yaml").write_text(FILE)
    monkeypatch.setenv(SETTING, str(tmp_path / "models.yaml"))
    assert left_in_english(faults(RULE.format(detector, options))) == []


@pytest.mark.parametrize("change", [change for change, *_ in FAULTY_FILES])
def test_mistakes_of_a_models_file_are_said_in_german(change: tuple[str, str]) -> None:
    with pytest.raises(ModelsFileError) as refused:
        parse_models(FILE.replace(*change))
    assert left_in_english(refused.value.issues) == []


def test_the_fault_inside_a_hint_is_said_in_german_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.yaml").write_text(FILE.replace("harassment", "harassmnt"))
    monkeypatch.setenv(SETTING, str(tmp_path / "models.yaml"))
    (issue, *_) = faults(RULE.format("classifier", "model: toxic"))
    with translation.override("de"):
        hint = said(issue.hint)
    assert "Zeile 7: classifiers.toxic.labels.toxic: die Kategorie 'harassmnt' gibt es nicht (meinten Sie" in hint


def test_programs_read_english_whatever_the_language() -> None:
    with translation.override("de"):
        (issue,) = faults(GOOD.replace("EMAIL_ADDRESS", "EMAIL_ADRESS"))
        assert str(issue) == (
            "line 6: rules[0].entities.EMAIL_ADRESS: pii finds nothing called 'EMAIL_ADRESS' "
            "(did you mean 'EMAIL_ADDRESS'?)"
        )
