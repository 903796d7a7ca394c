"""The rules of the policy as the item page lists them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from policies.models import PolicyVersion
from review.reasons import PolicyRule, rules_of
from webapp.interception.models import Finding


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule; whether it found something or did not finish; whether the reviewer gave it as a reason."""

    rule: PolicyRule
    fired: bool
    chosen: bool

    @property
    def shown(self) -> bool:
        """Whether it is in the list before anybody searches."""
        return self.fired or self.chosen


def rule_rows(version: PolicyVersion, *, fired: Collection[str], chosen: Collection[str]) -> list[RuleRow]:
    """Return all rules of the version, in its order."""
    return [RuleRow(rule, rule.id in fired, rule.id in chosen) for rule in rules_of(version)]


def first_of_rule(findings: Iterable[Finding], rows: Iterable[RuleRow]) -> dict[int, PolicyRule]:
    """Return the rule to explain beside a finding, by the finding's id: beside the first one of each rule."""
    unexplained = {row.rule.id: row.rule for row in rows if row.rule.text or row.rule.examples}
    return {finding.id: unexplained.pop(finding.rule) for finding in findings if finding.rule in unexplained}
