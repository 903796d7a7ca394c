"""Label Studio: tasks with what people decided as an annotation, and what the machine found as predictions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from django.utils.translation import gettext_noop

from feedback.exporters.base import Exporter, Row, Skip, column, list_column
from feedback.messages import prompt_of
from feedback.records import Record, RecordFinding
from feedback.selectors import CATEGORIES
from review.imported import DETECTOR
from review.label_studio import config, tasks
from review.label_studio.tasks import Result
from screening.findings import OUTPUT

#: Words of rows are labels of places, or categories of the whole.
_PLACE, _WHOLE = "place:", "whole:"


class LabelStudio(Exporter):
    identifier = "label-studio"
    title = gettext_noop("Label Studio")
    purpose = gettext_noop(
        "Go on in Label Studio, or show there what was decided: agreed spans, verdict, outcome, categories and "
        "correction are an annotation, what the machine found is a prediction. Without names of reviewers."
    )
    exposes = gettext_noop(
        "The output as it was, with its private data, and the correction; prompts with the private data that checks "
        "found taken out."
    )
    features = (column("data", "json"), list_column("annotations", "json"), list_column("predictions", "json"))
    file_type = "json"
    usage = (
        f"In Label Studio, put `{config.FILE}` into Settings, Labeling Interface, Code, then import a `tasks.json`. "
        "Offsets count code points."
    )

    def rows(self, record: Record) -> list[Row] | Skip:
        text = record["output"]
        if text is None:
            return Skip(gettext_noop("no output"))
        said = [cast(dict[str, str], message) for message in prompt_of(record)]
        task = tasks.task(
            text=text,
            messages=said,
            check=record["check"],
            item=record["id"],
            annotations=[tasks.annotation(_decided(record, text))],
            predictions=list(_predictions(record, text)),
        )
        return [cast(Row, task)]

    def data_file(self, *, dataset: str, split: str) -> str:
        return f"{split}/tasks.json"

    def words(self, record: Record) -> Iterator[str]:
        yield from (_PLACE + span["label"] for span in record["spans"])
        yield from (_WHOLE + name for name in record["labels"])
        for finding in record["findings"]:
            yield (_PLACE if _has_place(finding) else _WHOLE) + finding["category"]

    def extra_files(self, *, dataset: str, splits: Sequence[str], words: Collection[str]) -> dict[str, str]:
        """Return the configuration that the tasks need: every label and category that occurs in them."""
        places = [word.removeprefix(_PLACE) for word in words if word.startswith(_PLACE)]
        wholes = [word.removeprefix(_WHOLE) for word in words if word.startswith(_WHOLE)]
        return {config.FILE: config.label_config(spans=places, categories=[*CATEGORIES, *wholes])}


def _decided(record: Record, text: str) -> Iterator[Result]:
    for span in record["spans"]:
        yield tasks.span(text, span["start"], span["end"], span["label"])
    if record["verdict"]:
        yield tasks.choice(tasks.VERDICT, [record["verdict"]])
    yield tasks.choice(tasks.OUTCOME, [record["outcome"]])
    if said := [name for name, value in record["labels"].items() if value]:
        yield tasks.choice(tasks.CATEGORIES, said)
    if record["correction"] is not None:
        yield tasks.written(tasks.CORRECTION, record["correction"])


def _predictions(record: Record, text: str) -> Iterator[dict[str, Any]]:
    """Yield a prediction of what rules found, and one of labels that came from outside before people decided."""
    found = [finding for finding in record["findings"] if finding["target"] == OUTPUT]
    yield from _prediction(
        f"{record['policy']['name']} {record['policy']['version']}",
        [finding for finding in found if finding["detector"] != DETECTOR],
        text,
    )
    yield from _prediction(DETECTOR, [finding for finding in found if finding["detector"] == DETECTOR], text)


def _prediction(name: str, found: list[RecordFinding], text: str) -> Iterator[dict[str, Any]]:
    results = [
        tasks.span(text, finding["start"] or 0, finding["end"] or 0, finding["category"])
        for finding in found
        if _has_place(finding)
    ]
    if whole := sorted({finding["category"] for finding in found if not _has_place(finding)}):
        results.append(tasks.choice(tasks.CATEGORIES, whole))
    if results:
        yield tasks.prediction(results, model_version=name, score=max(finding["score"] for finding in found))


def _has_place(finding: RecordFinding) -> bool:
    """Whether a finding marks a piece of its text; one of no length marks none."""
    return finding["start"] is not None and finding["end"] is not None and finding["start"] < finding["end"]
