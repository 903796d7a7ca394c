"""The answers to one item side by side, without names: what an adjudicator decides between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from django.utils.translation import gettext

from review.models import Annotation, SpanAnnotation
from review.texts import is_output_span
from webapp.interception.models import Finding

MAX_QUOTE = 60
#: Of a finding's own place these say what its keep or drop says already.
_PLAIN = (SpanAnnotation.Change.KEPT, SpanAnnotation.Change.REMOVED)


@dataclass(frozen=True, slots=True)
class Peer:
    """One answer. `name` is a letter in the order of the slots, which says nothing of who or when."""

    name: str
    answer: Annotation

    @property
    def correction(self) -> str | None:
        return self.answer.correction.text if hasattr(self.answer, "correction") else None


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One question and what each peer said to it, in the order of the peers; "" where they said nothing."""

    subject: str
    quote: str
    said: list[str]

    @property
    def differs(self) -> bool:
        return len(set(filter(None, self.said))) > 1


@dataclass(frozen=True, slots=True)
class Comparison:
    peers: list[Peer]
    rows: list[PeerRow]


def compare(answers: Iterable[Annotation], *, output: str | None) -> Comparison:
    """Return the answers with a row for every place, category and rubric field that any of them speaks of.

    `answers` come with `selectors.answers_of`.
    """
    ordered = sorted(answers, key=lambda answer: (answer.assignment.slot_no, answer.id))
    peers = [Peer(_letter(number), answer) for number, answer in enumerate(ordered)]
    return Comparison(peers, [*_findings(ordered, output), *_spans(ordered, output), *_labels(ordered)])


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < len(ascii_uppercase) else str(number + 1)


def _findings(answers: Sequence[Annotation], output: str | None) -> list[PeerRow]:
    words = {True: gettext("kept"), False: gettext("dropped"), None: ""}
    by_answer = [{v.finding_id: v for v in answer.finding_verdicts.all()} for answer in answers]
    findings = {key: v.finding for judged in by_answer for key, v in judged.items()}
    return [
        PeerRow(
            subject=finding.category,
            quote=_quote(output, finding.start, finding.end) if is_output_span(finding) else "",
            said=[words[judged[key].kept if key in judged else None] for judged in by_answer],
        )
        for key, finding in sorted(findings.items(), key=lambda pair: _place(pair[1]))
    ]


def _place(finding: Finding) -> tuple[str, int, int]:
    return (finding.target, finding.start or 0, finding.id)


def _spans(answers: Sequence[Annotation], output: str | None) -> list[PeerRow]:
    """Return the places that people moved, renamed or added themselves."""
    marked = [
        {(span.start, span.end, span.label): span.get_change_display().lower() for span in _own_spans(answer)}
        for answer in answers
    ]
    places = sorted({place for spans in marked for place in spans})
    return [
        PeerRow(label, _quote(output, start, end), [spans.get((start, end, label), "") for spans in marked])
        for start, end, label in places
    ]


def _own_spans(answer: Annotation) -> list[SpanAnnotation]:
    return [span for span in answer.spans.all() if span.finding_id is None or span.change not in _PLAIN]


def _labels(answers: Sequence[Annotation]) -> list[PeerRow]:
    words = {True: gettext("yes"), False: gettext("no")}
    rows = _rows([answer.labels for answer in answers], lambda value: words.get(bool(value), ""))
    return rows + _rows([answer.rubric for answer in answers], str)


def _rows(given: Sequence[dict[str, object]], in_words: Callable[[object], str]) -> list[PeerRow]:
    names = sorted({name for own in given for name in own})
    return [PeerRow(name, "", [in_words(own[name]) if name in own else "" for own in given]) for name in names]


def _quote(output: str | None, start: int | None, end: int | None) -> str:
    text = (output or "")[start:end]
    return text if len(text) <= MAX_QUOTE else f"{text[: MAX_QUOTE - 1]}…"
