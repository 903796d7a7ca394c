"""What people said of an item, read as labels: an absent category is unknown, never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from review.models import Annotation, ReviewItem, SpanAnnotation
from review.models.annotations import AnnotationVerdict
from review.models.items import SlotRole
from screening.findings import OUTPUT
from webapp.interception.models import Finding

Labels = dict[str, int]
#: Start, end, label, detector ("" when a person found it).
Span = tuple[int, int, str, str]


def judged_findings(item: ReviewItem) -> dict[int, Finding]:
    """Return the findings that labels are read from: those of the output; of a check without one, all."""
    has_output = item.checked.content.output is not None
    return {f.id: f for f in item.checked.findings.all() if f.target == OUTPUT or not has_output}


def labels_of(answer: Annotation, findings: Mapping[int, Finding]) -> Labels:
    """Return one answer's labels: a kept finding is 1, a dropped one 0, what the reviewer ticked wins over both."""
    labels: Labels = {}
    for verdict in answer.finding_verdicts.all():
        finding = findings.get(verdict.finding_id)
        if finding is not None:
            labels[finding.category] = max(labels.get(finding.category, 0), int(verdict.kept))
    labels.update({name: int(value) for name, value in answer.labels.items() if isinstance(value, bool)})
    return dict(sorted(labels.items()))


def agreed(answers: Sequence[Annotation], labels: Sequence[Labels]) -> Labels:
    """Return the labels that hold: an adjudicator's where given, else the majority's; a tie stays unknown."""
    ruling: Labels = {}
    for answer, own in zip(answers, labels, strict=True):
        if _adjudicates(answer):
            ruling = own
    votes: dict[str, list[int]] = {}
    for own in labels:
        for name, value in own.items():
            votes.setdefault(name, []).append(value)
    result = {name: int(2 * sum(v) > len(v)) for name, v in votes.items() if 2 * sum(v) != len(v)}
    return dict(sorted((result | ruling).items()))


def shares(labels: Sequence[Labels]) -> dict[str, float]:
    """Return for each category the share of those who judged it that said 1."""
    names = sorted({name for own in labels for name in own})
    return {name: _mean([own[name] for own in labels if name in own]) for name in names}


def rubric_of(answers: Sequence[Annotation]) -> dict[str, float]:
    """Return for each question of the rubric the adjudicator's points, else the mean of those who answered it."""
    given: dict[str, list[int]] = {}
    ruling: dict[str, float] = {}
    for answer in answers:
        if _adjudicates(answer):
            ruling |= answer.rubric
        for name, points in answer.rubric.items():
            given.setdefault(name, []).append(points)
    return dict(sorted(({name: _mean(points) for name, points in given.items()} | ruling).items()))


def verdict_of(answers: Sequence[Annotation]) -> str | None:
    """Return the adjudicator's verdict, else the majority's; unsure when there is none, None without answers."""
    ruling = [answer.verdict for answer in answers if _adjudicates(answer)]
    if ruling:
        return ruling[-1]
    counts = Counter(answer.verdict for answer in answers).most_common()
    if not counts:
        return None
    tied = len(counts) > 1 and counts[0][1] == counts[1][1]
    return AnnotationVerdict.UNSURE.value if tied else counts[0][0]


def spans_of(answer: Annotation, findings: Mapping[int, Finding]) -> tuple[set[Span], bool]:
    """Return the spans of the output that this answer leaves standing, and whether it judged any."""
    marked = list(answer.spans.all())
    spans = {_marked(span) for span in marked if span.change != SpanAnnotation.Change.REMOVED}
    judged = bool(marked)
    # A finding that was resized or removed has a span of its own; its verdict says no more.
    spoken = {span.finding_id for span in marked}
    for verdict in answer.finding_verdicts.all():
        finding = findings.get(verdict.finding_id)
        if finding is None or finding.target != OUTPUT or finding.start is None or finding.end is None:
            continue
        judged = True
        if verdict.kept and finding.id not in spoken:
            spans.add((finding.start, finding.end, finding.category, finding.detector))
    return spans, judged


def agreed_spans(answers: Sequence[Annotation], findings: Mapping[int, Finding]) -> tuple[list[Span], bool]:
    """Return the spans that hold, as labels do: an adjudicator's, else those of more than half of who judged spans."""
    own = [(answer, *spans_of(answer, findings)) for answer in answers]
    judged = [(answer, spans) for answer, spans, looked in own if looked]
    ruling = [spans for answer, spans in judged if _adjudicates(answer)]
    if ruling:
        return sorted(ruling[-1]), True
    votes = Counter(span for _, spans in judged for span in spans)
    return sorted(span for span, n in votes.items() if 2 * n > len(judged)), bool(judged)


def kept(answers: Iterable[Annotation]) -> dict[int, bool]:
    """Return for each judged finding whether it stands: kept by at least half (when in doubt it stays redacted)."""
    votes: dict[int, list[bool]] = {}
    for answer in answers:
        for verdict in answer.finding_verdicts.all():
            votes.setdefault(verdict.finding_id, []).append(verdict.kept)
    return {finding: 2 * sum(v) >= len(v) for finding, v in votes.items()}


def _marked(span: SpanAnnotation) -> Span:
    return (span.start, span.end, span.label, span.finding.detector if span.finding else "")


def _adjudicates(answer: Annotation) -> bool:
    return answer.assignment.role == SlotRole.ADJUDICATOR


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)
