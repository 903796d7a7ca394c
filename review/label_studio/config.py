"""The labelling interface for our tasks, as Settings, Labeling Interface, Code of a Label Studio project takes it."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from review.label_studio.tasks import (
    CATEGORIES,
    CONVERSATION,
    CORRECTION,
    NOTE,
    OUTCOME,
    SPANS,
    TEXT,
    VERDICT,
    label_of,
)
from review.models.annotations import AnnotationVerdict, Outcome
from screening.categories import MODEL_ENTITIES
from screening.detectors.pii import ENTITIES

FILE = "label_config.xml"


def label_config(*, spans: Iterable[str], categories: Iterable[str]) -> str:
    """Return the configuration. It has every label of the tasks, and every entity that a policy can ask for."""
    view = ET.Element("View")
    # Its editor folds spaces unless told not to, and people would judge another text than the one that was said.
    _tag(view, "Style").text = ".htx-text { white-space: pre-wrap; }"
    _header(view, "Conversation")
    _tag(view, "Paragraphs", name=CONVERSATION, value="$messages", layout="dialogue", nameKey="role", textKey="content")
    _header(view, "Output")
    labels = _tag(view, "Labels", name=SPANS, toName=TEXT)
    for name in _names([*ENTITIES, *MODEL_ENTITIES, *spans]):
        ET.SubElement(labels, "Label", value=name)
    _tag(view, "Text", name=TEXT, value=f"${TEXT}")
    _choices(view, "Verdict", VERDICT, AnnotationVerdict.values, several=False)
    _choices(view, "What should happen", OUTCOME, Outcome.values, several=False)
    _choices(view, "Categories", CATEGORIES, _names(categories), several=True)
    _textarea(view, "Correction: the output as it should have been", CORRECTION)
    _textarea(view, "Note", NOTE)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _names(names: Iterable[str]) -> list[str]:
    return sorted({label_of(name) for name in names})


def _tag(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _header(parent: ET.Element, value: str) -> None:
    _tag(parent, "Header", value=value)


def _choices(parent: ET.Element, title: str, name: str, values: Iterable[str], *, several: bool) -> None:
    _header(parent, title)
    choices = _tag(
        parent, "Choices", name=name, toName=TEXT, choice="multiple" if several else "single", showInline="true"
    )
    for value in values:
        ET.SubElement(choices, "Choice", value=value)


def _textarea(parent: ET.Element, title: str, name: str) -> None:
    _header(parent, title)
    _tag(parent, "TextArea", name=name, toName=TEXT, rows="4", maxSubmissions="1", editable="true")
