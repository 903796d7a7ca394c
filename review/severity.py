"""How grave and how urgent an item is."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from webapp.interception.models import Check, Finding

NONE, LOW, MEDIUM, HIGH, CRITICAL = range(5)
NAMES = ("none", "low", "medium", "high", "critical")
OR_GRAVER = {
    1: gettext_lazy("low or graver"),
    2: gettext_lazy("medium or graver"),
    3: gettext_lazy("high or graver"),
    4: gettext_lazy("critical or graver"),
}

#: What is not named here is medium.
CATEGORY_SEVERITY = {
    "sexual/minors": CRITICAL,
    "self-harm": CRITICAL,
    "harassment/threatening": HIGH,
    "hate/threatening": HIGH,
    "illicit/violent": HIGH,
    "violence/graphic": HIGH,
    "hate": HIGH,
    "illicit": HIGH,
    "profanity": LOW,
}


def severity_of(findings: Iterable[Finding], *, verdict: str) -> int:
    """Return 0 to 4: the gravest category found, at least medium while an output is held, 0 without findings."""
    found = max((CATEGORY_SEVERITY.get(finding.category, MEDIUM) for finding in findings), default=NONE)
    return max(found, MEDIUM) if verdict in ("hold", "block") else found


def risk_of(findings: Iterable[Finding], check: Check) -> float:
    """Return the highest probability that something is wrong, in [0, 1]; rules that did not finish count as 0.5."""
    highest = max((finding.score for finding in findings), default=0.0)
    return min(1.0, max(highest, 0.5 if check.unscanned else 0.0))
