"""Whether what was said of one item holds for a near-duplicate.

A near-duplicate has findings of its own, at its own places. Only when they are the same ones in the same order does an
answer carry over, finding by finding; nothing is ever redacted at another text's offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from review.texts import is_output_span
from screening.findings import OUTPUT
from webapp.interception.models import Check, Finding

Kind = tuple[str, str, str, str]
#: What was found in an output: of places the kinds in order, of the rest which; and which rules did not finish.
Shape = tuple[tuple[Kind, ...], frozenset[Kind], frozenset[str]]


def shape_of(check: Check, findings: Iterable[Finding]) -> Shape:
    """Return what was found, without where and in which words."""
    found = list(findings)
    rest = frozenset(_kind(one) for one in found if one.target == OUTPUT and not is_output_span(one))
    unscanned = frozenset(str(entry.get("rule")) for entry in check.unscanned)
    return tuple(_kind(one) for one in places(found)), rest, unscanned


def places(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with a place in the output, in the order of the text."""
    placed = (one for one in findings if is_output_span(one))
    return sorted(placed, key=lambda one: (one.start, one.end, _kind(one), one.id))


def _kind(finding: Finding) -> Kind:
    return finding.rule, finding.detector, finding.category, finding.action


def carried_over(
    kept: Mapping[int, bool], *, findings: Sequence[Finding], output: str, others: Sequence[Finding], other: str
) -> dict[int, bool] | None:
    """Return what `kept`, said of `findings` in `output`, says of `others` in `other`; both have the same shape.

    None when a dropped place reads differently there: it may be right about those words. Findings in messages are left
    unjudged, since the conversations differ.
    """
    carried: dict[int, bool] = {}
    for own, its in zip(places(findings), places(others), strict=True):
        if own.id not in kept:
            continue
        if not kept[own.id] and output[own.start : own.end] != other[its.start : its.end]:
            return None
        carried[its.id] = kept[own.id]
    said: dict[Kind, set[bool]] = {}
    for one in findings:
        if one.target == OUTPUT and not is_output_span(one) and one.id in kept:
            said.setdefault(_kind(one), set()).add(kept[one.id])
    for one in others:
        if one.target == OUTPUT and not is_output_span(one) and len(said.get(_kind(one), ())) == 1:
            carried[one.id] = next(iter(said[_kind(one)]))
    return carried
