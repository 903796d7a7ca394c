"""Why something was decided: rules of the policy that is in force for an item, and the statement made of the choices.

The page composes the same statement from the same sentences while the reviewer chooses (static/js/statement.js). It is
for the application, so it is English whatever language the reviewer reads; what the policy says stays as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from policies.models import PolicyVersion
from review.errors import InvalidAnswer
from review.models.annotations import Outcome

MAX_STATEMENT = 10_000


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule as people read it. `labels` are what it maps to actions; `document` is all of it, as JSON."""

    id: str
    detector: str
    text: str
    examples: tuple[str, ...]
    labels: tuple[str, ...]
    document: str

    @property
    def sentence(self) -> str:
        return self.text or f"Rule {self.id} of the policy."

    @property
    def words(self) -> str:
        """Return what a search looks at, in lower case."""
        return " ".join((self.id, self.detector, self.text, *self.labels, *self.examples)).lower()


def rules_of(version: PolicyVersion) -> list[PolicyRule]:
    return [
        PolicyRule(
            id=rule["id"],
            detector=rule["detector"],
            text=rule.get("text", ""),
            examples=tuple(rule.get("examples", ())),
            labels=(*rule.get("categories", {}), *rule.get("entities", {})),
            document=json.dumps(rule, ensure_ascii=False, indent=2),
        )
        for rule in json.loads(version.canonical).get("rules", [])
    ]


def outcome_sentences() -> dict[str, str]:
    """Return how a statement begins, by outcome."""
    return {
        Outcome.RELEASE: "The output was let out as it was written.",
        Outcome.REDACT: "Parts of the output were taken out.",
        Outcome.REPLACE: "The output was replaced by an edited text.",
        Outcome.BLOCK: "The output was not let out.",
    }


def found_sentence() -> str:
    """Return the sentence that names categories, with %(names)s where they stand."""
    return "Found in it: %(names)s."


def compose(*, outcome: str, rules: Iterable[PolicyRule], labels: Mapping[str, bool], snippets: Sequence[str]) -> str:
    """Return the statement of reasons that follows from the choices, a sentence a line; "" for no outcome."""
    if not outcome:
        return ""
    found = ", ".join(name for name, said in labels.items() if said)
    sentences = [outcome_sentences()[outcome], *(rule.sentence for rule in rules)]
    if found:
        sentences.append(found_sentence() % {"names": found})
    return "\n".join([*sentences, *snippets])


def chosen_rules(version: PolicyVersion, ids: Sequence[str]) -> list[PolicyRule]:
    """Return the rules with these ids, in the policy's order; raise InvalidAnswer for one that it does not have."""
    wanted = set(ids)
    if not wanted:
        return []
    rules = [rule for rule in rules_of(version) if rule.id in wanted]
    if len(rules) < len(wanted):
        raise InvalidAnswer(_("One of the rules is not in the policy of this item."))
    return rules


def checked_statement(written: str, composed: str) -> tuple[str, bool]:
    """Return the statement and whether it was edited: what was written, unless it is empty or as composed."""
    text = written.replace("\r\n", "\n").strip()
    if len(text) > MAX_STATEMENT or "\x00" in text:
        raise InvalidAnswer(_("A statement has at most 10,000 characters, and none of them NUL."))
    edited = bool(composed and text and text != composed)
    return (text, True) if edited else (composed, False)
