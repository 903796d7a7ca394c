"""From what a detector saw to the result of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from screening.findings import OUTPUT, Action, Finding, Hit, RuleResult, Text
from screening.policy import Rule

UNSUPPORTED = "unsupported content"
#: Findings of one rule on one check; of the rest, of the output and of the messages, only their number and their
#: severest action are kept.
MAX_FINDINGS = 1_000
TOO_MANY = "too_many_findings"
_SEVERITY: tuple[Action, ...] = ("observe", "flag", "redact", "mask", "hash", "hold", "block")


def findings_of(rule: Rule, target: str, hits: Sequence[Hit], version: str) -> list[Finding]:
    """Return a finding for each hit that the rule asks for."""
    return [
        Finding(
            rule=rule.id,
            detector=rule.detector,
            category=hit.category,
            score=hit.score,
            threshold=follows[1],
            action=follows[0],
            target=target,
            start=hit.start,
            end=hit.end,
            model=version,
            detail=hit.detail,
        )
        for hit in hits
        if (follows := rule.action(hit.category, hit.score)) is not None
    ]


def result_of(texts: Sequence[Text], rule: Rule, findings: list[Finding]) -> RuleResult:
    """Return the result of a rule that has read all `texts` of a check; unscanned when one has unreadable parts."""
    unread = any(text.partial and rule.scans(text.target) for text in texts)
    return RuleResult(rule.id, tuple(_bounded(findings)), UNSUPPORTED if unread else "")


def reason_of(error: Exception) -> str:
    """Return the class alone: a message may quote the text."""
    return type(error).__name__


def _bounded(findings: list[Finding]) -> list[Finding]:
    """Return at most MAX_FINDINGS, and what stands for the rest: without a place, so that none of it is released.

    What is left out of the output stands by itself: a message's finding keeps no output back.
    """
    kept, rest = findings[:MAX_FINDINGS], findings[MAX_FINDINGS:]
    outputs = [finding for finding in rest if finding.target == OUTPUT]
    messages = [finding for finding in rest if finding.target != OUTPUT]
    return kept + [_standing_for(own) for own in (outputs, messages) if own]


def _standing_for(rest: list[Finding]) -> Finding:
    severest = max(rest, key=lambda finding: _SEVERITY.index(finding.action))
    return replace(severest, category=TOO_MANY, start=None, end=None, detail=f"{len(rest)} more")
