"""Every export loads with the library that trainers load with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml

from feedback.exporters.registry import EXPORTERS
from feedback.filters import Filters
from feedback.models import DatasetVersion, Export
from feedback.selectors import CATEGORIES
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from review.services import Answer
from tests.factories import Cast, make_check
from tests.feedback.deciding import a_mixture, answer, decide
from tests.feedback.loading import load
from webapp.interception.models import Check

#: Formats that measure take answers that were not blind only when a dataset chooses them.
KNOWINGLY = Filters(assistance=("shown",))
SPLITS = ["train", "validation", "test"]


@pytest.fixture
def version(cast: Cast) -> DatasetVersion:
    a_mixture(cast)
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=KNOWINGLY)
    return freeze_version(dataset=dataset)


def exported(version: DatasetVersion, format: str) -> Export:
    return fill_export(open_export(version=version, format=format, created_by=None))


def all_rows(loaded: Any) -> list[dict[str, Any]]:
    return [row for part in loaded.values() for row in part]


@pytest.mark.parametrize("format", list(EXPORTERS))
def test_loads_with_the_rows_and_columns_it_declares(version: DatasetVersion, format: str) -> None:
    made = exported(version, format)

    loaded = load(made.path)

    assert list(loaded) == SPLITS
    assert {split: part.num_rows for split, part in loaded.items()} == made.manifest["rows"]
    for part in loaded.values():
        assert part.column_names == [feature["name"] for feature in EXPORTERS[format].features]
    names = {path.relative_to(made.path).as_posix() for path in Path(made.path).rglob("*") if path.is_file()}
    assert names == {file["path"] for file in made.manifest["files"]} | {"manifest.json"}


def test_jsonl_loads_without_the_card_too(version: DatasetVersion) -> None:
    folder = Path(exported(version, "openai-chat-sft").path)
    files = {split: str(folder / f"{split}.jsonl") for split in SPLITS}

    loaded = datasets.load_dataset("json", data_files=files, cache_dir=str(folder.parent / "cache"))

    assert set(loaded) == set(SPLITS)


def test_chat_rows_end_with_the_text_that_went_out_and_hide_private_data_of_prompts(version: DatasetVersion) -> None:
    rows = all_rows(load(exported(version, "openai-chat-sft").path))

    assert len(rows) == 9  # replaced, released as fine, redacted; blocked gives none
    for row in rows:
        system, user, answer = row["messages"]
        assert (system["role"], user["role"], answer["role"]) == ("system", "user", "assistant")
        assert (user["weight"], answer["weight"]) == (None, 1)
        assert user["content"] == "How do I reach Ann? I am 🦉 [EMAIL_ADDRESS]." or "@example.com" in answer["content"]
    answers = [row["messages"][-1]["content"] for row in rows]
    assert sum("Write to us." in text for text in answers) == 3
    assert sum("[EMAIL_ADDRESS]" in text for text in answers) == 3


def test_preference_rows_follow_the_conversational_shape_of_trl(version: DatasetVersion) -> None:
    rows = all_rows(load(exported(version, "trl-preference").path))

    assert len(rows) == 3
    for row in rows:
        assert set(row) == {"prompt", "chosen", "rejected"}
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
        for side in ("chosen", "rejected"):
            assert [message["role"] for message in row[side]] == ["assistant"]
        assert row["chosen"][0]["content"].endswith("Write to us.")
        assert row["rejected"][0]["content"].endswith("you fool.")


def test_preferred_outputs_are_rows_and_those_that_are_as_good_are_not(cast: Cast) -> None:
    for preference in ("left-1", "tie"):
        asked = [{"role": "user", "content": f"Say it {preference}."}]
        other = make_check(cast, output="One.", messages=asked, review="")
        check = make_check(cast, output="Another.", messages=asked)
        Check.objects.filter(pk=check.pk).update(compared_with=other)
        answer(cast, Answer(outcome="release", preference=preference))
    decide(cast, outcome="replace", correction="Mine.", output="Theirs.")
    frozen = freeze_version(dataset=create_dataset(project=cast.project, slug="ab", name="AB", filters=Filters()))

    rows = all_rows(load(exported(frozen, "trl-preference").path))

    pairs = [{row["chosen"][0]["content"], row["rejected"][0]["content"]} for row in rows]
    assert sorted(map(sorted, pairs)) == [["Another.", "One."], ["Mine.", "Theirs."]]


def test_classifier_rows_mask_what_nobody_judged(version: DatasetVersion) -> None:
    rows = all_rows(load(exported(version, "multilabel-classifier").path))

    known = [{name for name, mask in zip(CATEGORIES, row["label_mask"], strict=True) if mask} for row in rows]
    assert sorted(map(sorted, known)) == sorted(
        [["harassment"]] * 9 + [["harassment", "violence"]] * 3  # those that were released say violence: no
    )
    for row in rows:
        assert len(row["labels"]) == len(row["label_mask"]) == len(row["label_soft"]) == len(CATEGORIES)
        assert row["n_annotators"] == 1
        assert row["sample_weight"] == 1.0
        assert all(label == 0 for label, mask in zip(row["labels"], row["label_mask"], strict=True) if not mask)


def test_floats_look_like_floats_in_every_line(version: DatasetVersion) -> None:
    folder = Path(exported(version, "multilabel-classifier").path)

    for line in (folder / "train.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert {type(value) for value in (*row["labels"], *row["label_soft"], row["sample_weight"])} == {float}


def test_spans_fit_their_text_in_code_points_beyond_the_basic_plane(version: DatasetVersion) -> None:
    rows = all_rows(load(exported(version, "pii-spans").path))

    assert len(rows) == 12
    spans = [(row["text"], span) for row in rows for span in row["spans"]]
    assert len(spans) == 9  # the three released ones dropped theirs
    for text, span in spans:
        assert text.startswith("😀")
        assert text[span["start"] : span["end"]] == span["text"]
        assert span["text"].endswith("@example.com")
        assert span["label"] == "EMAIL_ADDRESS"
    assert {row["offset_unit"] for row in rows} == {"codepoint"}


def test_evals_come_with_a_registry_that_finds_its_samples(version: DatasetVersion) -> None:
    folder = Path(exported(version, "openai-evals").path)

    registry = yaml.safe_load((folder / "registry/evals/first.yaml").read_text())

    for split in SPLITS:
        named = registry[f"first-{split}"]
        spec = registry[named["id"]]
        lines = (folder / "registry/data" / spec["args"]["samples_jsonl"]).read_text().splitlines()
        for line in map(json.loads, lines):
            assert isinstance(line["ideal"], str)
            assert {"role", "content"} <= set(line["input"][-1])
            assert line["metadata"]["assistance"] == "shown"


def test_the_folder_has_class_labels_and_every_answer(version: DatasetVersion) -> None:
    loaded = load(exported(version, "huggingface").path)

    features = loaded["train"].features
    assert features["outcome"].names == ["release", "redact", "replace", "block"]
    assert features["verdict"].names == ["violates", "fine", "unsure"]
    row = loaded["test"][0]
    assert features["outcome"].int2str(row["outcome"]) == "replace"
    assert row["answers"][0]["ref"].startswith("rv_")
    assert row["judged"] == [{"category": "EMAIL_ADDRESS", "value": 1, "share": 1.0}, harassment(1)]
    assert row["policy"]["name"] == "support-bot"
    assert row["decided_at"].tzinfo is not None
    assert "reviewer" not in str(loaded["train"][:])


def harassment(value: int) -> dict[str, Any]:
    return {"category": "harassment", "value": value, "share": float(value)}


def test_tool_calls_and_line_separators_survive(cast: Cast) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"n": 1}'}, "big": 2**60}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Find\u2028it\x85"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
    ]
    decide(cast, output="Here\u2029it is, as you asked me before.", messages=messages, findings=[])
    dataset = create_dataset(project=cast.project, slug="tools", name="Tools", filters=Filters())
    version = freeze_version(dataset=dataset)

    made = exported(version, "openai-chat-sft")
    rows = all_rows(load(made.path))

    user, assistant, tool, answer = rows[0]["messages"]
    assert user["content"] == "Find\u2028it\x85"
    assert assistant["weight"] == 0
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"n": 1}'
    assert assistant["tool_calls"][0]["big"] == str(2**60)
    assert tool["tool_call_id"] == "c1"
    assert answer["content"] == "Here\u2029it is, as you asked me before."
    file = next(Path(made.path).glob("*.jsonl"))
    assert len(file.read_text().splitlines()) == 1
    assert all_rows(load(exported(version, "huggingface").path))[0]["messages"][1]["tool_calls"] is not None
