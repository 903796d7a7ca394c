"""The export for Label Studio: arrays of tasks, and a configuration that has every label in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from feedback.exporters.huggingface import HuggingFace
from feedback.filters import Filters
from feedback.models import Export
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from tests.factories import Cast
from tests.feedback.deciding import a_mixture, decide, finding
from webapp.interception.models import Check

HOSTILE = "<script>\"&\x01'\n"


def exported(cast: Cast) -> Export:
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=Filters())
    return fill_export(open_export(version=freeze_version(dataset=dataset), format="label-studio", created_by=None))


def tasks_of(made: Export) -> list[dict[str, Any]]:
    return [task for path in Path(made.path).glob("*/tasks.json") for task in json.loads(path.read_text())]


def config_of(made: Export) -> ET.Element:
    return ET.fromstring((Path(made.path) / "label_config.xml").read_text())  # noqa: S314 - our own file


def names_in(config: ET.Element, tag: str, name: str) -> set[str]:
    control = config.find(f".//{tag}[@name='{name}']")
    assert control is not None
    return {child.attrib["value"] for child in control}


def chosen(results: list[dict[str, Any]], control: str) -> list[str]:
    return [name for r in results if r["from_name"] == control for name in r["value"]["choices"]]


def test_what_people_decided_is_an_annotation_and_what_was_found_a_prediction(cast: Cast) -> None:
    a_mixture(cast)

    made = exported(cast)

    found = tasks_of(made)
    assert len(found) == 12
    by_outcome: dict[str, list[dict[str, Any]]] = {}
    for task in found:
        text = task["data"]["text"]
        (annotation,), (prediction,) = task["annotations"], task["predictions"]
        assert (annotation["was_cancelled"], annotation["ground_truth"]) == (False, False)
        for result in (*annotation["result"], *prediction["result"]):
            if result["type"] == "labels":
                value = result["value"]
                assert text[value["start"] : value["end"]] == value["text"]
                assert value["text"].endswith("@example.com")
                assert value["labels"] == ["EMAIL_ADDRESS"]
        assert chosen(prediction["result"], "categories") == ["harassment"]
        assert prediction["score"] == 1.0
        by_outcome.setdefault(chosen(annotation["result"], "outcome")[0], []).append(task)
    assert {name: len(tasks) for name, tasks in by_outcome.items()} == dict.fromkeys(
        ("replace", "release", "redact", "block"), 3
    )
    for task in by_outcome["replace"]:
        results = task["annotations"][0]["result"]
        assert [r["type"] for r in results] == ["labels", "choices", "choices", "choices", "textarea"]
        assert results[-1]["value"]["text"][0].endswith("Write to us.")
        assert len({r["id"] for r in results}) == len(results)
    for task in by_outcome["release"]:
        assert [r["from_name"] for r in task["annotations"][0]["result"]] == ["verdict", "outcome"]
    whole = json.dumps(found)
    assert "reviewer" not in whole
    assert "rv_" not in whole
    assert "I am 🦉 [EMAIL_ADDRESS]." in json.dumps(found, ensure_ascii=False)


def test_the_configuration_has_every_label_whatever_it_is_called(cast: Cast) -> None:
    text = "😀 Ann\r\nlives here, and will for a while yet."
    marked = finding(HOSTILE, "served", start=2, end=7)
    decide(cast, outcome="block", kept=True, output=text, findings=[marked, finding("ours", "moderation")])

    made = exported(cast)

    ((task),) = tasks_of(made)
    places = [r["value"] for r in task["annotations"][0]["result"] if r["type"] == "labels"]
    assert [(p["start"], p["end"], p["text"]) for p in places] == [(2, 7, "Ann\r\n")]
    config = config_of(made)
    assert set(places[0]["labels"]) <= names_in(config, "Labels", "spans")
    assert {"EMAIL_ADDRESS", "IBAN_CODE"} <= names_in(config, "Labels", "spans")
    assert {"ours", "harassment"} <= names_in(config, "Choices", "categories")
    assert "<script" not in (Path(made.path) / "label_config.xml").read_text()
    for control in config.iter():
        if "toName" in control.attrib:
            assert control.attrib["toName"] == "text"


def test_a_task_without_messages_or_findings_is_complete(cast: Cast) -> None:
    decide(cast, output="Nothing is wrong with this answer at all, dear.", findings=[], messages=[{"role": "user"}])

    (task,) = tasks_of(exported(cast))

    assert task["predictions"] == []
    assert task["data"]["messages"] == [{"role": "user", "content": ""}]
    assert {"countersign_check", "countersign_item"} <= set(task["data"])


def test_labels_that_were_imported_stay_told_from_what_rules_found(cast: Cast) -> None:
    text = "Ann Lee lives here, and will for a while yet, in this house."
    label = finding("PERSON", "label_studio", start=0, end=7, action="observe")
    decide(cast, outcome="block", kept=True, output=text, findings=[label, finding("harassment", "moderation")])
    dataset = create_dataset(project=cast.project, slug="spans", name="Spans", filters=Filters())
    version = freeze_version(dataset=dataset)

    spans = fill_export(open_export(version=version, format="pii-spans", created_by=None))
    (task,) = tasks_of(fill_export(open_export(version=version, format="label-studio", created_by=None)))

    assert [p["model_version"] for p in task["predictions"]] == ["support-bot 1", "label_studio"]
    (line,) = next(Path(spans.path).glob("*.jsonl")).read_text().splitlines()
    assert [span["label"] for span in json.loads(line)["spans"]] == ["PERSON"]


def test_records_say_that_a_text_was_imported_and_older_ones_still_export(cast: Cast) -> None:
    item = decide(cast, output="A text that somebody labelled elsewhere, and nobody here.", findings=[])
    Check.objects.filter(pk=item.checked_id).update(door="label_studio")
    dataset = create_dataset(project=cast.project, slug="doors", name="Doors", filters=Filters())
    row = freeze_version(dataset=dataset).members.get()

    record = json.loads(row.record)
    assert record["door"] == "label_studio"
    (new,) = HuggingFace().rows(record)
    del record["door"]
    (old,) = HuggingFace().rows(record)
    assert (new["door"], old["door"]) == ("label_studio", None)
    assert set(new) == set(old) >= {column["name"] for column in HuggingFace.features}
