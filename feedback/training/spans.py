"""Texts with the places of personal data, for the token head: read from files, in code points."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError, model_validator

from feedback.training.data import Origin
from feedback.training.fields import SpanFields, check_inside, named, why
from feedback.training.lines import objects
from screening.detectors.pii import ENTITIES

#: What the token head finds. Patterns with checksums do the rest.
PII_LABELS = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "DATE_TIME")
#: What sources mark and we leave out on purpose: a title is no part of a name here, an age or a group of people tells
#: nobody apart, and a ZIP code by itself is no address to its source. Of another source such a label may mean more.
LEFT_OUT = {
    "presidio_generated_large": frozenset({"TITLE"}),
    "presidio_synth_v2": frozenset({"AGE", "NRP", "TITLE", "ZIP_CODE"}),
}
#: What a field that has two forms may hold.
FORMS = {"annotated_types": 'a list of labels, or "all"'}
_SLOT = re.compile(r"\{\{.*?\}\}")


@dataclass(frozen=True, slots=True)
class TextSpan:
    """`text[start:end]` is a `label`, in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class SpanExample:
    """One text with its spans, in order and apart. A label that is not in `annotated` is unknown, not absent.

    `form`: the template that it was made of, with empty slots, where that is known.
    """

    id: str
    source: str
    kind: str
    text: str
    licence: str
    spans: tuple[TextSpan, ...]
    annotated: frozenset[str] = frozenset(PII_LABELS)
    form: str = ""


class _Line(Origin):
    text: str
    spans: list[SpanFields]
    annotated_types: list[str] | Literal["all"]
    template: str | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        check_inside(self.spans, self.text)
        return self

    def labels(self) -> list[str]:
        """Return what this row marks or looked for, without what its source is known for and we leave out."""
        marked = [span.label for span in self.spans if span.label]
        looked_for = [] if self.annotated_types == "all" else self.annotated_types
        return [label for label in marked + looked_for if label not in LEFT_OUT.get(self.source, ())]

    def example(self) -> SpanExample:
        spans = [TextSpan(s.start, s.end, s.label) for s in self.spans if s.label in PII_LABELS]
        annotated = frozenset(PII_LABELS if self.annotated_types == "all" else self.annotated_types)
        return SpanExample(
            id=self.id,
            source=self.source,
            kind="fragment",
            text=self.text,
            licence=self.licence,
            spans=whole(self.text, spans),
            annotated=annotated & frozenset(PII_LABELS),
            form=form_of(self.template or ""),
        )


def read_spans(path: Path, *, warn: Callable[[str], object] = lambda _: None) -> list[SpanExample]:
    """Read `pii_train.jsonl.gz`, without spans of other labels. Raise OSError, or ValueError naming a bad line.

    Text that stays after a label which is none of ours (a title, a product) was looked at, and is no entity: `warn` is
    told which labels that happened to, but those in LEFT_OUT, since one of another scheme (PER for PERSON) would teach
    that names are none.
    """
    examples, labels = [], Counter[str]()
    for number, row in objects(path):
        try:
            line = _Line.model_validate(row)
        except ValidationError as error:
            raise ValueError(f"{path}, line {number}: {why(error, FORMS)}") from None
        labels.update(line.labels())
        examples.append(line.example())
    # Numbers with a form are found by patterns: that the token head leaves them is as it should be.
    if other := [label for label, _ in labels.most_common() if label not in (*PII_LABELS, *ENTITIES)]:
        warn(
            f"{path} has labels that no entity stands for: {named(other, PII_LABELS)}. What they mark is learnt as no"
            f" personal data. The entities are {', '.join(PII_LABELS)}."
        )
    return examples


def form_of(template: str) -> str:
    """Return a template with {{slots}} as it is whatever they are called."""
    return _SLOT.sub("{}", template)


def whole(text: str, spans: Sequence[TextSpan]) -> tuple[TextSpan, ...]:
    """Return spans of `text` in order and apart, as a reader would mark them.

    Of two that overlap the longer stays. An address is one span, also where its source marked house number, street and
    flat by themselves. What has no letter and no digit, such as the "@" that some mark before a name, is no entity.
    """
    kept: list[TextSpan] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        apart = all(span.end <= other.start or other.end <= span.start for other in kept)
        if apart and any(character.isalnum() for character in text[span.start : span.end]):
            kept.append(span)
    joined: list[TextSpan] = []
    for span in sorted(kept, key=lambda s: s.start):
        last = joined[-1] if joined else None
        if last and last.label == span.label == "ADDRESS" and not text[last.end : span.start].strip():
            joined[-1] = TextSpan(last.start, span.end, span.label)
        else:
            joined.append(span)
    return tuple(joined)
