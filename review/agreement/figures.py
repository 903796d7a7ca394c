"""The figures of agreement: by queue, of outcome, verdict, every category and spans, and of pairs of reviewers."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from review.agreement.coefficients import (
    Estimate,
    Row,
    alpha,
    cohen,
    estimate,
    f1,
    fleiss,
    nominal_row,
    pair_row,
    raw,
)
from review.agreement.reading import Choice, Said, Unit, read_units
from review.agreement.spans import compare
from review.models import Queue
from review.models.annotations import AnnotationVerdict, Outcome
from webapp.accounts.models import User

#: Unsure is an answer of its own.
OUTCOMES = (*Outcome.values, "")
VERDICTS = tuple(AnnotationVerdict.values)
#: With fewer items a figure says little, whatever its interval.
FEW = 20
Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Measure:
    """One question that was answered. `cohen` is given where exactly two reviewers answered it."""

    kind: str  # "outcome", "verdict" or "category"
    name: str
    answers: int
    same: Estimate
    cohen: Estimate | None
    fleiss: Estimate
    alpha: Estimate

    @property
    def items(self) -> int:
        return self.alpha.items

    @property
    def few(self) -> bool:
        return self.items < FEW


@dataclass(frozen=True, slots=True)
class SpanMeasure:
    """Spans of one label, or of all when `label` is ""."""

    label: str
    exact: Estimate
    overlapping: Estimate

    @property
    def few(self) -> bool:
        return self.exact.items < FEW


@dataclass(frozen=True, slots=True)
class PairMeasure:
    """Two reviewers, by name, and how far their outcomes agree."""

    first: str
    second: str
    cohen: Estimate

    @property
    def few(self) -> bool:
        return self.cohen.items < FEW


@dataclass(frozen=True, slots=True)
class QueueAgreement:
    queue: Queue
    measures: list[Measure]
    spans: list[SpanMeasure]
    pairs: list[PairMeasure]


@dataclass(slots=True)
class _Question:
    """What was answered to one question, as sums for the coefficients."""

    values: int
    rows: Counter[Row] = field(default_factory=Counter)
    by_answers: dict[int, Counter[Row]] = field(default_factory=lambda: defaultdict(Counter))
    pairs: dict[Pair, Counter[Row]] = field(default_factory=lambda: defaultdict(Counter))
    answers: int = 0

    def add(self, said: Sequence[tuple[uuid.UUID, int]]) -> None:
        if len(said) < 2:
            return
        row = nominal_row([value for _, value in said], self.values)
        self.rows[row] += 1
        self.by_answers[len(said)][row] += 1
        self.answers += len(said)
        for (one, first), (other, second) in combinations(sorted(said), 2):
            self.pairs[one, other][pair_row([(first, second)], self.values)] += 1

    def measure(self, kind: str, name: str) -> Measure:
        # Fleiss' kappa asks for equal numbers of answers: the commonest number has most of the items.
        commonest = max(self.by_answers.values(), key=lambda rows: rows.total(), default=Counter[Row]())
        reviewers = {reviewer for pair in self.pairs for reviewer in pair}
        two = next(iter(self.pairs.values())) if len(reviewers) == 2 else None
        return Measure(
            kind=kind,
            name=name,
            answers=self.answers,
            same=estimate(self.rows, raw),
            cohen=estimate(two, cohen) if two else None,
            fleiss=estimate(commonest, fleiss),
            alpha=estimate(self.rows, alpha),
        )


@dataclass(slots=True)
class _Tally:
    """Everything of one queue."""

    outcome: _Question = field(default_factory=lambda: _Question(len(OUTCOMES)))
    verdict: _Question = field(default_factory=lambda: _Question(len(VERDICTS)))
    categories: dict[str, _Question] = field(default_factory=lambda: defaultdict(lambda: _Question(2)))
    exact: dict[str, Counter[Row]] = field(default_factory=lambda: defaultdict(Counter))
    overlapping: dict[str, Counter[Row]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, unit: Unit) -> None:
        answers = unit.answers
        self.outcome.add([(said.reviewer, OUTCOMES.index(said.outcome)) for said in answers])
        self.verdict.add([(said.reviewer, VERDICTS.index(said.verdict)) for said in answers])
        for name in {name for said in answers for name in said.labels}:
            self.categories[name].add([(s.reviewer, int(s.labels[name])) for s in answers if name in s.labels])
        self._add_spans([said.spans for said in answers if said.spans is not None])

    def _add_spans(self, answers: Sequence[frozenset[tuple[str, int, int]]]) -> None:
        labels = {span[0] for spans in answers for span in spans} if len(answers) > 1 else set()
        for label in ["", *labels] if labels else []:
            exact, overlapping, spans = compare(answers, label or None)
            self.exact[label][exact, spans] += 1
            self.overlapping[label][overlapping, spans] += 1

    def measures(self) -> list[Measure]:
        found = [self.outcome.measure("outcome", "outcome"), self.verdict.measure("verdict", "verdict")]
        found += [question.measure("category", name) for name, question in sorted(self.categories.items())]
        return [measure for measure in found if measure.items]

    def span_measures(self) -> list[SpanMeasure]:
        return [
            SpanMeasure(label, estimate(rows, f1), estimate(self.overlapping[label], f1))
            for label, rows in sorted(self.exact.items())
        ]

    def pair_measures(self, names: dict[uuid.UUID, str]) -> list[PairMeasure]:
        """Return the pairs in the order of their names: no figure puts one reviewer before another."""
        found = []
        for pair, rows in self.outcome.pairs.items():
            first, second = sorted(names[reviewer] for reviewer in pair)
            found.append(PairMeasure(first, second, estimate(rows, cohen)))
        return sorted(found, key=lambda pair: (pair.first, pair.second))


def read_agreement(choice: Choice, queue: Queue | None = None) -> list[QueueAgreement]:
    """Return the figures of each queue of the project in which items were answered by two or more, or of `queue`."""
    tallies: dict[uuid.UUID, _Tally] = defaultdict(_Tally)
    for unit in read_units(choice, queue):
        tallies[unit.queue].add(unit)
    names = _names(tally.outcome.pairs for tally in tallies.values())
    return [
        QueueAgreement(found, tally.measures(), tally.span_measures(), tally.pair_measures(names))
        for found in Queue.objects.filter(id__in=tallies).order_by("name")
        for tally in [tallies[found.id]]
    ]


def _names(pairs: Iterable[Iterable[Pair]]) -> dict[uuid.UUID, str]:
    people = {reviewer for those in pairs for pair in those for reviewer in pair}
    return dict(User.objects.filter(id__in=people).values_list("id", "username"))


def own_agreement(choice: Choice, user: User) -> Estimate:
    """Return Cohen's kappa between the outcomes of `user` and those of whoever answered the same items."""
    rows: Counter[Row] = Counter()
    for unit in read_units(choice, reviewer=user):
        own = next((said for said in unit.answers if said.reviewer == user.id), None)
        if own is None:
            continue  # they answered it in another cycle
        others = [said for said in unit.answers if said is not own]
        rows[pair_row([(_outcome(own), _outcome(other)) for other in others], len(OUTCOMES))] += 1
    return estimate(rows, cohen)


def _outcome(said: Said) -> int:
    return OUTCOMES.index(said.outcome)
