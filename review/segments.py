"""Cut a text where findings begin and end, so that a template can mark them. Offsets are code points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from webapp.interception.models import Finding

#: How findings of a detector are drawn; each kind has its own shape, colour and label.
KINDS = {
    "pii": "pii",
    "secrets": "secret",
    "phrases": "term",
    "pattern": "term",
    "moderation": "harm",
    "prompt_injection": "harm",
}


def kind_of(finding: Finding) -> str:
    return KINDS.get(finding.detector, "form")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text, and the findings that cover it, the one that began first at the front."""

    text: str
    findings: tuple[Finding, ...] = ()
    begins: bool = False

    @property
    def kind(self) -> str:
        return kind_of(self.findings[0]) if self.findings else ""

    @property
    def label(self) -> str:
        return " + ".join(dict.fromkeys(finding.category for finding in self.findings))

    @property
    def ids(self) -> str:
        return " ".join(str(finding.id) for finding in self.findings)


def segments(text: str, findings: Iterable[Finding]) -> list[Segment]:
    """Return pieces that join to `text`, in order; findings without a place, or outside the text, mark nothing."""
    placed = sorted(_placed(text, findings), key=lambda place: (place[0], -place[1]))
    cuts = sorted({0, len(text), *(edge for start, end, _ in placed for edge in (start, end))})
    pieces: list[Segment] = []
    active: list[tuple[int, int, Finding]] = []
    following = 0
    for start, end in pairwise(cuts):
        active = [place for place in active if place[1] > start]
        begins = False
        while following < len(placed) and placed[following][0] == start:
            active.append(placed[following])
            following += 1
            begins = True
        pieces.append(Segment(text[start:end], tuple(finding for _, _, finding in active), begins))
    return pieces


def _placed(text: str, findings: Iterable[Finding]) -> Iterator[tuple[int, int, Finding]]:
    for finding in findings:
        if finding.start is None or finding.end is None:
            continue
        start, end = finding.start, min(finding.end, len(text))
        if start < end:
            yield start, end, finding
