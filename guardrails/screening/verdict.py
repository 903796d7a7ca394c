"""Findings and a policy in, a verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from screening.findings import OUTPUT, Finding, RuleResult, Verdict
from screening.policy import Policy
from screening.redaction import RedactionSpan, redact

_ORDER: tuple[Verdict, ...] = ("allow", "redact", "hold", "block")
_REDACTIONS = ("redact", "mask", "hash")
_FOR_A_PERSON = ("flag", "hold", "block")


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The outcome of a check.

    `output` is the text to show, None when nothing goes out (hold, block) or nothing was given.
    `flagged`: a finding asks for a person (flag, hold or block).
    `unscanned`: (rule, reason) of every rule that did not finish, in the policy's order.
    """

    verdict: Verdict
    flagged: bool
    output: str | None
    findings: tuple[Finding, ...]
    unscanned: tuple[tuple[str, str], ...]


def conclude(policy: Policy, output: str | None, results: Iterable[RuleResult], key: bytes) -> Conclusion:
    """Return the verdict of `policy` on what its rules found.

    A rule without a result is unscanned ("no result"), never passed, and its `on_error` decides. A rule with several
    results, of its parts, has the findings of all and is unscanned when one is. `key` keys the hashes of redacted
    values.
    """
    by_rule = _by_rule(results)
    findings: list[Finding] = []
    unscanned: list[tuple[str, str]] = []
    verdicts: list[Verdict] = ["allow"]
    for rule in policy.rules:
        result = by_rule.get(rule.id) or RuleResult(rule=rule.id, unscanned="no result")
        if result.unscanned:
            unscanned.append((rule.id, result.unscanned))
            if rule.on_error != "open":
                verdicts.append(rule.on_error)
        findings.extend(result.findings)
        verdicts.extend(_verdict_of(finding) for finding in result.findings)
    verdict = max(verdicts, key=_ORDER.index)
    return Conclusion(
        verdict=verdict,
        flagged=any(finding.action in _FOR_A_PERSON for finding in findings),
        output=_released(verdict, output, findings, key),
        findings=tuple(findings),
        unscanned=tuple(unscanned),
    )


def _by_rule(results: Iterable[RuleResult]) -> Mapping[str, RuleResult]:
    found: dict[str, RuleResult] = {}
    for part in results:
        first = found.get(part.rule, RuleResult(part.rule))
        found[part.rule] = RuleResult(
            part.rule, first.findings + part.findings, unscanned=first.unscanned or part.unscanned
        )
    return found


def redaction_spans(findings: Iterable[Finding]) -> list[RedactionSpan]:
    """Return the spans of the output that `findings` ask to take out."""
    return [
        RedactionSpan(finding.start, finding.end, finding.category, finding.action)
        for finding in findings
        if finding.target == OUTPUT
        and finding.action in ("redact", "mask", "hash")
        and finding.start is not None
        and finding.end is not None
    ]


def _verdict_of(finding: Finding) -> Verdict:
    if finding.action == "hold" or finding.action == "block":
        return finding.action
    if finding.action in _REDACTIONS and finding.target == OUTPUT:
        # What has no place in the text cannot be taken out of it: a person looks.
        return "redact" if finding.start is not None else "hold"
    return "allow"


def _released(verdict: Verdict, output: str | None, findings: Iterable[Finding], key: bytes) -> str | None:
    if output is None or verdict in ("hold", "block"):
        return None
    return redact(output, redaction_spans(findings), key) if verdict == "redact" else output
