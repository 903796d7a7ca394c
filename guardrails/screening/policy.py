"""Policy documents: YAML in, a validated and hashed `Policy` out.

Exceptions:

    PolicyError          the document is not a policy; carries one `Issue` a fault: path, line, message, hint
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from screening.detectors.base import Detector, ModelDetector, Options
from screening.detectors.registry import DETECTORS, UnknownDetector, detector_type
from screening.detectors.served import ANY
from screening.faults import add_field, expected_of, message_of
from screening.findings import Action, OnError, Queue
from screening.policy_yaml import Issue, PolicyError, did_you_mean, read_yaml
from screening.sentences import NOTHING, Sentence, say

__all__ = ["Issue", "Policy", "PolicyError", "Rule", "load_policy", "parse_policy"]

MAX_DEADLINE_MS = 60_000
MAX_RULES = 100
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
Score = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=1, le=MAX_DEADLINE_MS)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Part):
    """Scores from which a category is flagged, held or blocked; at least one is given, none below the one before."""

    flag: Score | None = None
    hold: Score | None = None
    block: Score | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Thresholds:
        given = [value for value in (self.flag, self.hold, self.block) if value is not None]
        if not given:
            raise ValueError(say("give at least one of flag, hold and block"))
        if given != sorted(given):
            raise ValueError(say("thresholds must not fall: flag <= hold <= block"))
        return self

    def action(self, score: float) -> tuple[Action, float] | None:
        """Return the severest action that `score` reaches, with its threshold; None when it reaches none."""
        steps: tuple[tuple[Action, float | None], ...] = (
            ("block", self.block),
            ("hold", self.hold),
            ("flag", self.flag),
        )
        for action, threshold in steps:
            if threshold is not None and score >= threshold:
                return action, threshold
        return None


class EntityAction(_Part):
    action: Action
    min_score: Score = 0.0


def _short_action(value: object) -> object:
    return {"action": value} if isinstance(value, str) else value


Entity = Annotated[EntityAction, BeforeValidator(_short_action)]


class Rule(_Part):
    id: Slug
    detector: str
    on: Annotated[tuple[Literal["output", "input"], ...], Field(min_length=1)] = ("output",)
    options: dict[str, Any] = {}
    categories: dict[str, Thresholds] = {}
    entities: dict[str, Entity] = {}
    deadline_ms: Milliseconds | None = None
    on_error: OnError = "hold"
    #: For people: what the rule asks for, and outputs that it is about.
    text: Annotated[str, Field(max_length=2000)] = ""
    examples: Annotated[tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=10)] = ()

    # Kept, because every check asks for them, and a rule never changes.
    @cached_property
    def detector_type(self) -> type[Detector]:
        return DETECTORS[self.detector]

    @cached_property
    def queue(self) -> Queue:
        """Return where the rule runs: for most detectors a fixed queue, for some what their options ask for."""
        return self.detector_type.queue_of(self.options)

    @cached_property
    def model_part(self) -> type[ModelDetector] | None:
        """Return what reads the guard model for this rule, beside its detector; None when nothing does."""
        return self.detector_type.model_part(self.entities)

    @cached_property
    def queues(self) -> tuple[Queue, ...]:
        """Return where the parts of the rule run: one result is due from each."""
        return (self.queue, "gpu") if self.model_part else (self.queue,)

    @cached_property
    def options_json(self) -> str:
        """Return the options in a form that can be compared and kept as a key."""
        return self.model_dump_json(include={"options"})

    def parsed_options(self) -> Options:
        """Return the options in the detector's own type; raise pydantic.ValidationError."""
        return self.detector_type.options_type.model_validate(self.options)

    def scans(self, target: str) -> bool:
        """Return whether the rule looks at a text with this target ("output" or "messages.N")."""
        return ("output" if target == "output" else "input") in self.on

    def action(self, category: str, score: float) -> tuple[Action, float | None] | None:
        """Return what follows from a hit, with the threshold it reached; None when the rule does not ask for it."""
        thresholds = self.categories.get(category) or self.categories.get(ANY)
        if thresholds is not None:
            return thresholds.action(score)
        entity = self.entities.get(category) or self.entities.get(ANY)
        if entity is None or score < entity.min_score:
            return None
        return entity.action, entity.min_score or None


class _Document(_Part):
    name: Slug
    description: str = ""
    deadline_ms: Milliseconds | None = None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A valid policy. `canonical` is JSON with sorted keys and all defaults; `sha256` is its hash, in hex."""

    name: str
    description: str
    deadline_ms: int | None
    rules: tuple[Rule, ...]
    canonical: str
    sha256: str


def parse_policy(source: str) -> Policy:
    """Parse and validate a YAML policy document. Raises PolicyError with every fault found.

    Whatever the document names (models, for instance) has to be there now. A policy that was stored and is loaded
    again is not asked: what has gone since leaves its rules unscanned.
    """
    data, lines = read_yaml(source)
    policy = _validate(data, lines)
    issues = [
        Issue.at(("rules", index, *fault.path), lines, fault.message, fault.hint)
        for index, rule in enumerate(policy.rules)
        for fault in rule.parsed_options().unavailable(set(rule.categories), set(rule.entities))
    ]
    if issues:
        raise PolicyError(issues)
    return policy


def without_deadlines(policy: Policy) -> Policy:
    """Return the same policy for work that nobody waits for: rules take as long as they need."""
    data = json.loads(policy.canonical)
    data["deadline_ms"] = None
    for rule in data["rules"]:
        rule["deadline_ms"] = None
    return _validate(data, {})


@lru_cache(maxsize=64)
def load_policy(canonical: str) -> Policy:
    """Return the policy of a canonical JSON text, as `Policy.canonical` gives it. Raises PolicyError."""
    return _validate(json.loads(canonical), {})


def _validate(data: object, lines: dict[tuple[str | int, ...], int]) -> Policy:
    try:
        document = _Document.model_validate(data)
    except ValidationError as error:
        raise PolicyError([_issue(fault["loc"], fault, lines) for fault in error.errors()]) from None
    issues = [issue for index, rule in enumerate(document.rules) for issue in _rule_issues(index, rule, lines)]
    issues += _duplicate_ids(document.rules, lines)
    if not 1 <= len(document.rules) <= MAX_RULES:
        message = say("a policy has 1 to %(most)s rules", most=MAX_RULES)
        issues.append(Issue.at(("rules",), lines, message, say("add a rule, or split the policy")))
    if issues:
        raise PolicyError(issues)
    canonical = json.dumps(_plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Policy(
        name=document.name,
        description=document.description,
        deadline_ms=document.deadline_ms,
        rules=document.rules,
        canonical=canonical,
        sha256=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _plain(document: _Document) -> dict[str, Any]:
    """Return the document with all defaults; what is for people is left out where there is none.

    So the hash of a policy without it stays what it was before there was such a thing.
    """
    data = document.model_dump(mode="json")
    data["rules"] = [
        {name: value for name, value in rule.items() if value or name not in ("text", "examples")}
        for rule in data["rules"]
    ]
    return data


def _rule_issues(index: int, rule: Rule, lines: dict[tuple[str | int, ...], int]) -> list[Issue]:
    path: tuple[str | int, ...] = ("rules", index)
    try:
        detector_type(rule.detector)
    except UnknownDetector as error:
        message = say("there is no detector %(name)s", name=repr(rule.detector))
        return [Issue.at((*path, "detector"), lines, message, error.hint)]
    try:
        options = rule.parsed_options()
    except ValidationError as error:
        return [_issue((*path, "options", *fault["loc"]), fault, lines) for fault in error.errors()]
    return _label_issues(path, rule, options, lines)


def _label_issues(
    path: tuple[str | int, ...], rule: Rule, options: Options, lines: dict[tuple[str | int, ...], int]
) -> list[Issue]:
    detector = rule.detector_type
    wanted, other = ("entities", "categories") if detector.maps == "entities" else ("categories", "entities")
    if detector.maps == "either" and not rule.categories:
        wanted, other = other, wanted
    issues = []
    if getattr(rule, other):
        message = say(
            "%(detector)s is mapped by `%(wanted)s`, not by `%(other)s`",
            detector=rule.detector,
            wanted=wanted,
            other=other,
        )
        example = "{flag: 0.5, hold: 0.8}" if wanted == "categories" else "{EMAIL_ADDRESS: redact}"
        hint = say("write %(field)s: with entries such as %(example)s", field=wanted, example=example)
        issues.append(Issue.at((*path, other), lines, message, hint))
    elif not getattr(rule, wanted):
        message = say("rule %(rule)s says nothing of what follows from a finding", rule=repr(rule.id))
        hint = say(
            "add `%(field)s`, for instance with the key %(any)s for everything it finds", field=wanted, any=repr(ANY)
        )
        issues.append(Issue.at(path, lines, message, hint))
    if detector.labels is not None:
        known = detector.labels | options.labels() | {ANY}
        for label in getattr(rule, wanted):
            if label not in known:
                hint = did_you_mean(label, known) or say("it knows: %(names)s", names=", ".join(sorted(known)))
                message = say("%(finder)s finds nothing called %(name)s", finder=rule.detector, name=repr(label))
                issues.append(Issue.at((*path, wanted, label), lines, message, hint))
    return issues


def _duplicate_ids(rules: tuple[Rule, ...], lines: dict[tuple[str | int, ...], int]) -> list[Issue]:
    seen: set[str] = set()
    issues = []
    for index, rule in enumerate(rules):
        if rule.id in seen:
            message = say("rule id %(rule)s is used twice", rule=repr(rule.id))
            issues.append(Issue.at(("rules", index, "id"), lines, message, say("give it another id")))
        seen.add(rule.id)
    return issues


def _hint_of_extra(loc: tuple[str | int, ...]) -> Sentence:
    """Return what to do with a field that is not known where it stands, though it may be elsewhere."""
    word = str(loc[-1])
    if "entities" in loc[:-1] and word in Thresholds.model_fields:
        return say("`entities` say what is done, as redact; thresholds stand under `categories`")
    if "categories" in loc[:-1] and word in EntityAction.model_fields:
        return say("`categories` have thresholds: flag, hold, block; actions stand under `entities`")
    fields = {*Rule.model_fields, *_Document.model_fields, *Thresholds.model_fields, *EntityAction.model_fields}
    return did_you_mean(word, fields - {word}) or say("remove it")


def _issue(loc: tuple[str | int, ...], fault: Any, lines: dict[tuple[str | int, ...], int]) -> Issue:
    hint = NOTHING
    if fault["type"] == "extra_forbidden":
        hint = _hint_of_extra(loc)
    elif fault["type"] == "literal_error":
        hint = expected_of(fault)
    elif fault["type"] == "missing":
        hint = add_field(fault)
    elif fault["type"] == "string_pattern_mismatch":
        hint = say("lower-case letters, digits, - and _, at most 80")
    return Issue.at(loc, lines, message_of(fault), hint)
