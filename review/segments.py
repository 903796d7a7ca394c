"""Cut a text where findings begin and end, so that a template can mark them. Offsets are code points.

The output is cut into chunks too: a browser lays out again only the chunk in which a mark moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from review.characters import cuts_character
from review.imported import DETECTOR
from screening.categories import MODEL_CATEGORIES, SEXUAL_MINORS
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

#: Characters of a chunk.
SHORTEST, LONGEST = 1_000, 4_000


def kind_of(finding: Finding) -> str:
    if finding.detector == DETECTOR:
        return "harm" if finding.category in (*MODEL_CATEGORIES, SEXUAL_MINORS) else "pii"
    return KINDS.get(finding.detector, "form")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text, and the findings that cover it, the one that began first at the front.

    `begun` are those of them that begin here, `numbers` what the page calls them.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    begun: tuple[Finding, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def chip(self) -> str:
        """Return what stands before the piece: the labels of those that begin with it."""
        return " + ".join(dict.fromkeys(finding.category for finding in self.begun))

    @property
    def also(self) -> str:
        """Return the kind of the second finding, drawn above the text; "" when one covers it."""
        return kind_of(self.findings[1]) if len(self.findings) > 1 else ""

    @property
    def kind(self) -> str:
        return kind_of(self.findings[0]) if self.findings else ""

    @property
    def label(self) -> str:
        return " + ".join(dict.fromkeys(finding.category for finding in self.findings))

    @property
    def names(self) -> str:
        return " ".join(map(str, self.numbers))


def segments(
    text: str, findings: Iterable[Finding], *, numbers: Mapping[int, int], cuts: Iterable[int] = ()
) -> list[Segment]:
    """Return pieces that join to `text`, in order; findings without a place, or outside the text, mark nothing.

    No piece reaches over one of `cuts`. `numbers` are those of the check's findings by id.
    """
    placed = sorted(_placed(text, findings), key=lambda place: (place[0], -place[1]))
    edges = sorted({0, len(text), *cuts, *(edge for start, end, _ in placed for edge in (start, end))})
    pieces: list[Segment] = []
    active: list[tuple[int, int, Finding]] = []
    following = 0
    for start, end in pairwise(edges):
        active = [place for place in active if place[1] > start]
        before = following
        while following < len(placed) and placed[following][0] == start:
            active.append(placed[following])
            following += 1
        begun = tuple(finding for _, _, finding in placed[before:following])
        covering = tuple(finding for _, _, finding in active)
        pieces.append(Segment(text[start:end], covering, begun, tuple(numbers[finding.id] for finding in covering)))
    return pieces


def chunks(text: str, findings: Iterable[Finding], *, numbers: Mapping[int, int]) -> list[list[Segment]]:
    """Return the pieces of `text` in chunks that end at line ends; a line of over LONGEST is cut after a blank."""
    ends = _chunk_ends(text)
    pieces = iter(segments(text, findings, numbers=numbers, cuts=ends))
    result: list[list[Segment]] = []
    at = 0
    for end in ends:
        chunk: list[Segment] = []
        while at < end:
            chunk.append(next(pieces))
            at += len(chunk[-1].text)
        result.append(chunk)
    return result


def _chunk_ends(text: str) -> list[int]:
    ends: list[int] = []
    at = 0
    while len(text) - at > SHORTEST:
        line_end = text.find("\n", at + SHORTEST, at + LONGEST) + 1
        blank = text.rfind(" ", at + SHORTEST, at + LONGEST) + 1
        begin, wanted = at, line_end or (blank or at + LONGEST if len(text) - at > LONGEST else len(text))
        at = wanted
        while at > begin and cuts_character(text, at):
            at -= 1
        if at == begin:  # a character with thousands of marks is cut, or there would be no end
            at = wanted
        ends.append(at)
    return ends if at == len(text) else [*ends, len(text)]


def _placed(text: str, findings: Iterable[Finding]) -> Iterator[tuple[int, int, Finding]]:
    for finding in findings:
        if finding.start is None or finding.end is None:
            continue
        start, end = finding.start, min(finding.end, len(text))
        if start < end:
            yield start, end, finding
