"""Routing rules: what they ask of a check, and which one a check meets first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext

from review.models import Queue, RoutingRule, RoutingTable
from review.severity import OR_GRAVER, severity_of
from webapp.accounts.models import Project
from webapp.interception.models import Check, Finding
from webapp.templatetags.terms import term

TRIGGERS = ("held", "flagged", "compared", "sampled", "late", "appeal")
#: Of the `language` detector: the detail of such a finding is the code of the language.
_UNEXPECTED_LANGUAGE = "unexpected_language"


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules may ask of a check that is put in front of people for the reason `trigger`."""

    trigger: str
    verdict: str
    application: str
    severity: int
    categories: frozenset[str]
    rules: frozenset[str]
    language: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that is given must hold; of several words one is enough. Without any, every check meets them."""

    triggers: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    min_severity: int = 0
    categories: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Conditions:
        words = {name: tuple(given) for name, given in stored.items() if name != "min_severity"}
        return cls(min_severity=stored.get("min_severity", 0), **words)

    def as_json(self) -> dict[str, Any]:
        """Return what is given, as `read` takes it."""
        given = {name: value for name, value in asdict(self).items() if value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}

    def met_by(self, facts: Facts) -> bool:
        return (
            (not self.triggers or facts.trigger in self.triggers)
            and (not self.verdicts or facts.verdict in self.verdicts)
            and (not self.applications or facts.application in self.applications)
            and facts.severity >= self.min_severity
            and (not self.categories or not facts.categories.isdisjoint(self.categories))
            and (not self.rules or not facts.rules.isdisjoint(self.rules))
            and (not self.languages or facts.language in self.languages)
        )

    def in_words(self, applications: Mapping[str, str]) -> str:
        """Return the conditions as a lead reads them; `applications` are names by id."""
        lists = {
            gettext("raised as"): tuple(map(term, self.triggers)),
            gettext("verdict"): tuple(map(term, self.verdicts)),
            gettext("from"): tuple(applications.get(key, key) for key in self.applications),
            gettext("category"): self.categories,
            gettext("rule"): self.rules,
            gettext("language"): self.languages,
        }
        either = gettext("or").join("  ")
        parts = [f"{what} {either.join(words)}" for what, words in lists.items() if words]
        if self.min_severity:
            parts.append(gettext("severity %(severity)s") % {"severity": OR_GRAVER[self.min_severity]})
        return ", ".join(parts) or gettext("everything else")


@dataclass(frozen=True, slots=True)
class Rule:
    conditions: Conditions
    queue: Queue


def facts_of(check: Check, findings: Sequence[Finding], *, trigger: str) -> Facts:
    """Return what rules may ask of `check`; its language is known when the policy did not expect it."""
    languages = [finding.detail for finding in findings if finding.category == _UNEXPECTED_LANGUAGE]
    return Facts(
        trigger=trigger,
        verdict=check.verdict,
        application=str(check.application_id),
        severity=severity_of(findings, verdict=check.verdict),
        categories=frozenset(finding.category for finding in findings),
        rules=frozenset(finding.rule for finding in findings),
        language=languages[0] if languages else "",
    )


def first_met(rules: Iterable[Rule], facts: Facts) -> int | None:
    """Return the index of the first rule that `facts` meet."""
    return next((number for number, rule in enumerate(rules) if rule.conditions.met_by(facts)), None)


def active_rules(project: Project) -> list[Rule]:
    """Return the rules that hold, in order; none while the project has no routing table."""
    newest = RoutingTable.objects.filter(project=project).order_by("-version").values("id")[:1]
    rows = RoutingRule.objects.filter(table=newest).select_related("queue").order_by("position")
    return [Rule(Conditions.read(row.conditions), row.queue) for row in rows]
