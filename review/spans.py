"""Places of an output as a reviewer left them: moved, renamed or found by them. Offsets are code points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext

from review.characters import cuts_character
from review.definition import Definition
from review.errors import InvalidAnswer
from review.segments import kind_of
from review.texts import is_output_span
from screening.categories import MODEL_ENTITIES
from screening.detectors.pii import ENTITIES
from webapp.interception.models import Finding

MAX_SPANS = 2_000


@dataclass(frozen=True, slots=True)
class MarkedSpan:
    """A place with its label. `finding` is the one that it stands for; None for a place that no rule found."""

    start: int
    end: int
    label: str
    finding: int | None = None


def read_spans(text: str, ids: Mapping[int, int]) -> list[MarkedSpan]:
    """Return the spans in a form's JSON; `ids` are those of the check's findings by number.

    Raises ValueError when it is not a list of spans, and KeyError when there is no such finding.
    """
    try:
        given = json.loads(text) if text else []
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(given, list) or len(given) > MAX_SPANS:
        raise ValueError("not a list of spans")
    return [_read_span(one, ids) for one in given]


def _read_span(given: object, ids: Mapping[int, int]) -> MarkedSpan:
    if not isinstance(given, dict):
        raise ValueError("not a span")
    start, end, finding = (given.get(name) for name in ("start", "end", "finding"))
    if type(start) is not int or type(end) is not int or not (finding is None or type(finding) is int):
        raise ValueError("not a number")
    source = None if finding is None else ids[finding]
    return MarkedSpan(start=start, end=end, label=str(given.get("label", "")), finding=source)


def as_json(spans: Sequence[MarkedSpan], numbers: Mapping[int, int]) -> str:
    """Return what `read_spans` reads; `numbers` are those of the check's findings by id."""
    return json.dumps([asdict(span) | {"finding": numbers.get(span.finding or 0)} for span in spans]) if spans else ""


def types_of(schema: Definition, findings: Iterable[Finding]) -> dict[str, str]:
    """Return the labels that a span of an item may have, those found in it first, each with its kind for the page."""
    found = {finding.category: kind_of(finding) for finding in findings if is_output_span(finding)}
    return (
        found
        | {label: "pii" for label in (*MODEL_ENTITIES, *ENTITIES) if label not in found}
        | {label: "harm" for label in schema.categories if label not in found}
    )


def changed_spans(
    spans: Sequence[MarkedSpan],
    *,
    output: str | None,
    findings: Mapping[int, Finding],
    kept: Mapping[int, bool],
    schema: Definition,
) -> list[MarkedSpan]:
    """Return the spans that differ from the findings they stand for; raise InvalidAnswer for one that does not fit."""
    labels = types_of(schema, findings.values())
    sources = [span.finding for span in spans if span.finding is not None]
    if len(set(sources)) < len(sources):
        raise InvalidAnswer(gettext("A finding can be moved to one place only."))
    for span in spans:
        if span.label not in labels:
            raise InvalidAnswer(gettext("One of the marked places has a type that this queue does not offer."))
        _require_source(span, findings, kept)
        _require_place(span, output or "", findings)
    return [span for span in dict.fromkeys(spans) if not _is_unchanged(span, findings)]


def _require_source(span: MarkedSpan, findings: Mapping[int, Finding], kept: Mapping[int, bool]) -> None:
    if span.finding is None:
        return
    source = findings.get(span.finding)
    if source is None or not is_output_span(source):
        raise InvalidAnswer(gettext("One of the marked places belongs to no finding in this output."))
    if kept.get(span.finding) is False:
        raise InvalidAnswer(
            gettext("A finding was dropped and moved at the same time. Keep it, or drop it where it was.")
        )


def _require_place(span: MarkedSpan, output: str, findings: Mapping[int, Finding]) -> None:
    if not 0 <= span.start < span.end <= len(output):
        raise InvalidAnswer(gettext("One of the marked places lies outside the output."))
    source = findings.get(span.finding) if span.finding is not None else None
    # A detector may have cut a character; whoever only moved the other end did not.
    given = {edge for edge in (span.start, span.end) if source is None or edge not in (source.start, source.end)}
    if any(cuts_character(output, edge) for edge in given):
        raise InvalidAnswer(gettext("One of the marked places begins or ends inside a character."))


def _is_unchanged(span: MarkedSpan, findings: Mapping[int, Finding]) -> bool:
    if span.finding is None:
        return False
    source = findings[span.finding]
    return (source.start, source.end, source.category) == (span.start, span.end, span.label)
