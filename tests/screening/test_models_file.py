"""The models file: faults with path, line and hint, and what a policy may name of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from screening.models_file import SETTING, ModelsFile, ModelsFileError, configured_models, parse_models
from screening.policy import PolicyError, load_policy, parse_policy

FILE = """
classifiers:
  toxic:
    hub: acme/toxic
    revision: 0123456789abcdef0123456789abcdef01234567
    task: sequence
    labels: {toxic: harassment, threat: violence}
  names:
    path: /srv/models/names
    task: token
    labels: {PER: PERSON}
guard_llms:
  guard: {url: "http://127.0.0.1:8000/v1", model: shieldgemma-2b, format: shieldgemma}
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "models.yaml"
    path.write_text(FILE)
    monkeypatch.setenv(SETTING, str(path))
    return path


def policy(rule: str) -> str:
    return f"name: p\nrules:\n  - {{id: r, {rule}}}\n"


def faults(source: str) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ModelsFileError) as refused:
        parse_models(source)
    return [(issue.path, issue.line, issue.message, issue.hint) for issue in refused.value.issues]


def refusal(document: str) -> tuple[str, int, str, str]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(document)
    (issue,) = refused.value.issues
    return issue.path, issue.line, issue.message, issue.hint


def test_no_file_means_no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert configured_models() == ModelsFile()


def test_a_changed_file_is_read_again(installed: Path) -> None:
    assert set(configured_models().classifiers) == {"toxic", "names"}
    installed.write_text("guard_llms: {}\n")
    assert configured_models() == ModelsFile()


def test_a_file_that_is_not_there_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path / "away.yaml"))
    with pytest.raises(ModelsFileError, match="cannot be read: No such file"):
        configured_models()


#: What is changed in FILE, and what is said of it.
FAULTY = (
    (("PERSON", "PERSN"), "classifiers.names.labels.PER", 11, "there is no entity", "did you mean 'PERSON'?"),
    (("violence", "violense"), "classifiers.toxic.labels.threat", 7, "there is no category", "'violence'?"),
    (("PER: PERSON", "PER: hate"), "classifiers.names.labels.PER", 11, "there is no entity", "one of: ADDRESS"),
    (("    revision", "    device: cpu #"), "classifiers.toxic.hub", 4, "with its revision", "40 hex digits"),
    (("0123456789abcdef0123", "main"), "classifiers.toxic.revision", 5, "pattern", "a branch or tag may change"),
    (("path: /srv", "path: srv"), "classifiers.names.path", 9, "a relative path", "from the root"),
    (("path: /srv", "hub: acme/x\n    path: /srv"), "classifiers.names", 8, "either `path` or `hub`", "path: a"),
    (("task: token", "tsk: token"), "classifiers.names.tsk", 10, "not permitted", "did you mean 'task'?"),
    (("task: token", "overlap: 400\n    task: token"), "classifiers.names.overlap", 10, "at most half", "256"),
    (("http://", "ftp://"), "guard_llms.guard.url", 13, "not an http", "http://127.0.0.1:8000/v1"),
    (("http://", "http://me:key@"), "guard_llms.guard.url", 13, "more than host", "api_key_env"),
    (("  guard:", "  toxic:"), "guard_llms.toxic", 13, "is a classifier, too", "another name"),
    (("  guard:", "  My Guard:"), "guard_llms.My Guard", 13, "pattern", "lower-case letters"),
    (("format: shieldgemma", "format: gemma"), "guard_llms.guard.format", 13, "'shieldgemma'", "one of 'llama_guard'"),
    (("http://", "http://[::1/"), "guard_llms.guard.url", 13, "not an http", "http://127.0.0.1:8000/v1"),
    (("http://", "http://a:b/"), "guard_llms.guard.url", 13, "not an http", "http://127.0.0.1:8000/v1"),
    (("http://", "http://a:99999/"), "guard_llms.guard.url", 13, "not an http", "http://127.0.0.1:8000/v1"),
    (("task: token", "device: gpu\n    task: token"), "classifiers.names.device", 10, "pattern", "auto, cpu, cuda"),
    (("task: token", "task: spans"), "classifiers.names.task", 10, "'token'", "one of 'sequence'"),
    (("format: s", "api_key_env: my-key, format: s"), "guard_llms.guard.api_key_env", 13, "pattern", "in capital"),
    (("    labels: {PER", "    labels: [x]\n    lbls: {PER"), "classifiers.names.labels", 11, "dictionary", "mapping"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "path", "line", "message", "hint"), FAULTY)
def test_a_fault_has_path_line_and_hint(change: tuple[str, str], path: str, line: int, message: str, hint: str) -> None:
    assert FILE.count(change[0]) >= 1
    found = [fault for fault in faults(FILE.replace(*change)) if fault[:2] == (path, line)]
    assert found, faults(FILE.replace(*change))
    assert message in found[0][2]
    assert hint in found[0][3]


def test_what_is_no_mapping_is_refused() -> None:
    assert faults("- toxic")[0][2].startswith("a models file is a mapping")


def test_a_policy_may_use_what_the_file_has(installed: Path) -> None:
    for rule in (
        "detector: classifier, options: {model: toxic}, categories: {harassment: {hold: 0.8}}",
        'detector: classifier, options: {model: toxic}, categories: {"*": {flag: 0.5}}',
        "detector: classifier, options: {model: names}, entities: {PERSON: redact}",
    ):
        assert parse_policy(policy(rule)).rules[0].queue == "gpu"


@pytest.mark.parametrize(
    ("model", "mapped", "path", "message", "hint"),
    [
        ("toxik", "categories: {hate: {flag: 1}}", "options.model", "no 'toxik'", "'toxic'?"),
        ("toxic", "categories: {hate: {flag: 1}}", "categories.hate", "nothing called 'hate'", "harassment, violence"),
        ("names", "entities: {PERSONS: hold}", "entities.PERSONS", "nothing called", "'PERSON'?"),
        ("toxic", "entities: {PERSON: hold}", "entities", "mapped by `categories`", "categories:"),
        ("names", "categories: {hate: {flag: 1}}", "categories", "mapped by `entities`", "entities:"),
        ("toxic", "on: [output]", "", "says nothing of what follows", "*"),
    ],
)
def test_a_policy_that_asks_for_more_is_refused(
    installed: Path, model: str, mapped: str, path: str, message: str, hint: str
) -> None:
    found = refusal(policy(f"detector: classifier, options: {{model: {model}}}, {mapped}"))
    assert found[:2] == (f"rules[0].{path}".rstrip("."), 3)
    assert message in found[2]
    assert hint in found[3]


def test_a_faulty_file_is_told_to_who_writes_a_policy(installed: Path) -> None:
    document = policy("detector: classifier, options: {model: toxic}, categories: {harassment: {hold: 0.8}}")
    stored = parse_policy(document).canonical
    installed.write_text(FILE.replace("harassment", "harassmnt"))
    path, _, message, hint = refusal(document)
    assert (path, message) == ("rules[0].options.model", "the models file cannot be used")
    assert "classifiers.toxic.labels.toxic" in hint
    assert load_policy(stored).rules[0].detector == "classifier"
