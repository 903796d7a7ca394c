"""`manage.py screen`: files through the same engine, with the workers and without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from screening.categories import MODEL_CATEGORIES
from webapp.local.processes import Supervisor

LINES: list[dict[str, Any]] = [
    {"id": "a", "output": "All is well."},
    {"id": 2, "output": "😀 mail ann@example.com", "messages": [{"role": "user", "content": "who?"}]},
    {"id": None, "messages": [{"role": "user", "content": "hello"}]},
]


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_GUARD_MODEL", "fake")


def screen(folder: Path, lines: list[Any], *arguments: str) -> list[dict[str, Any]]:
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    call_command("screen", str(source), str(target), *arguments)
    return [json.loads(line) for line in target.read_text().splitlines()]


def check(answers: list[dict[str, Any]]) -> None:
    assert [answer["id"] for answer in answers] == ["a", 2, None]
    assert [answer["verdict"] for answer in answers] == ["allow", "redact", "allow"]
    assert [answer["output"] for answer in answers] == ["All is well.", "😀 mail [EMAIL_ADDRESS]", None]
    assert all(set(answer["scores"]) == set(MODEL_CATEGORIES) for answer in answers[:2])
    assert [(span["start"], span["end"], span["label"]) for span in answers[1]["spans"]] == [(7, 22, "EMAIL_ADDRESS")]
    assert [answer["unscanned"] for answer in answers] == [[], [], []]


def test_direct_needs_neither_broker_nor_database(tmp_path: Path) -> None:
    # Without a database fixture, any query would fail this test.
    check(screen(tmp_path, LINES, "--direct"))


def test_the_workers_say_the_same(tmp_path: Path, screen_workers: Supervisor) -> None:
    check(screen(tmp_path, LINES))


def test_a_policy_from_a_file(tmp_path: Path) -> None:
    policy = tmp_path / "own.yaml"
    policy.write_text("name: own\nrules:\n  - {id: all, detector: pii, entities: {'*': block}}\n")
    answers = screen(tmp_path, LINES[:2], "--direct", "--policy", str(policy))
    assert [answer["verdict"] for answer in answers] == ["allow", "block"]
    assert answers[0]["scores"] is not None, "scores do not depend on the policy"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{nope\n", "line 2: The body is not JSON"),
        ("[1]\n", "line 2: not an object"),
        ('{"output": 5}\n', 'line 2: "output" is not a string'),
        ('{"id": 1}\n', 'line 2: neither "output" nor "messages"'),
        ('{"output": "x", "messages": ["y"]}\n', 'line 2: "messages" is not a list'),
        ('{"output": "\\ud800"}\n', "line 2: A string has half of a surrogate pair"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        screen(tmp_path, [LINES[0], line], "--direct")
    assert said in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


def test_a_field_that_was_meant_for_another_is_told(tmp_path: Path) -> None:
    fine = {"id": 1, "output": "x", "content": None, "text": "not screened, as it says", "source": "a"}
    assert len(screen(tmp_path, [fine], "--direct")) == 1
    for name, meant in {"message": "messages", "Output": "output", "contexts": "context"}.items():
        with pytest.raises(CommandError, match=f'line 2: a field is called almost as "{meant}"'):
            screen(tmp_path, [fine, {"id": 2, "output": "x", name: []}], "--direct")


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"away\.yaml: no such file"):
        screen(tmp_path, LINES, "--direct", "--policy", str(tmp_path / "away.yaml"))
    source = tmp_path / "in.jsonl"
    with pytest.raises(CommandError, match=r"away is no folder\. Make it first"):
        call_command("screen", str(source), str(tmp_path / "away" / "out.jsonl"), "--direct")


def test_an_unknown_policy_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="support-bot"):
        screen(tmp_path, LINES, "--direct", "--policy", "nope")


def test_a_missing_model_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_GUARD_MODEL", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError):
        screen(tmp_path, LINES, "--direct")
    assert not (tmp_path / "out.jsonl").exists()
