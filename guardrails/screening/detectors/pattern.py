"""`pattern`: regular expressions of the policy, on RE2: no text takes more than linear time or more than its limit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from screening.detectors.base import Detector, Options
from screening.detectors.linear_regex import PatternError, compile_linear, encodable
from screening.detectors.timed_regex import TimedRegex
from screening.findings import Deadline, Hit
from screening.sentences import say, sentence_of

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class PatternOptions(Options):
    """Regular expressions in RE2 syntax, by the name that their hits carry."""

    patterns: dict[Name, Expression] = Field(min_length=1, max_length=200)

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, expression in patterns.items():
            try:
                compiled = compile_linear(expression)
            except PatternError as error:
                raise ValueError(say("pattern %(name)s: %(reason)s", name=name, reason=sentence_of(error))) from error
            if compiled.search("") is not None:
                raise ValueError(
                    say("pattern %(name)s: it matches the empty text, so it would match everywhere", name=name)
                )
        return patterns

    def labels(self) -> frozenset[str]:
        return frozenset(self.patterns)


class Pattern(Detector):
    name = "pattern"
    options_type = PatternOptions

    def __init__(self, options: PatternOptions) -> None:
        self._patterns = [(name, TimedRegex(expression)) for name, expression in options.patterns.items()]

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return every non-empty match of every pattern, with score 1."""
        hits = []
        readable = encodable(text)
        for name, pattern in self._patterns:
            # Each search is linear, their sum need not be: `a.*b|a` reads to the end for every "a".
            hits += [Hit(name, 1.0, start, end) for start, end in pattern.spans(readable, deadline)]
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.end or 0))
