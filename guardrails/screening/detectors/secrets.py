"""`secrets`: credentials in the text, and whether they are real or examples."""

from __future__ import annotations

import functools
import zlib
from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from screening.detectors.base import Detector, Options
from screening.detectors.linear_regex import Match, Regex, compile_linear, encodable
from screening.detectors.secret_context import (
    EXAMPLE,
    announced_as_example,
    announced_score,
    is_example_connection,
    is_key_block,
    is_plain_words,
    is_reference,
    looks_made_up,
)
from screening.detectors.secret_patterns import ENTITIES, GENERIC, PATTERNS, SecretPattern
from screening.detectors.unmasking import unmask
from screening.findings import Deadline, Hit

if TYPE_CHECKING:
    import ahocorasick

# No vendor stands behind their form: what is said around them counts in full.
_FORMLESS = ("CONNECTION_STRING", "GENERIC_SECRET", "JWT")
_CHECKED = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class SecretsOptions(Options):
    """Hits under `min_score` are left out; examples score 0.1 to 0.5, so a lower value reports them too."""

    min_score: float = Field(default=0.6, ge=0.0, le=1.0)


class Secrets(Detector):
    name = "secrets"
    labels = frozenset(ENTITIES)
    options_type = SecretsOptions

    def __init__(self, options: SecretsOptions) -> None:
        self.options = options
        self._compiled = [(pattern, compile_linear(pattern.expression)) for pattern in PATTERNS]
        self._hints = _hints()
        self._generic = compile_linear(GENERIC.expression)

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return the secrets found; the first of PATTERNS that takes a place keeps it, generic ones come last.

        A text with invisible characters or other forms of ASCII in it is also read without them.
        """
        hits = self._scan(text, deadline)
        plain = unmask(text)
        if plain is None:
            return hits
        unmasked = self._scan(plain.text, deadline)
        spans = (plain.span(hit.start or 0, hit.end or 0) for hit in unmasked)
        return _merge(hits + [replace(hit, start=at[0], end=at[1]) for hit, at in zip(unmasked, spans, strict=True)])

    def _scan(self, text: str, deadline: Deadline) -> list[Hit]:
        readable = encodable(text)
        taken: list[Hit] = []
        # One pass over the text tells which patterns can match at all; of most texts none.
        for number in sorted({number for _, numbers in self._hints.iter(readable) for number in numbers}):
            deadline.check()
            pattern, expression = self._compiled[number]
            taken += self._search(readable, pattern, expression, taken, deadline)
        deadline.check()
        lowered = readable.lower()
        if any(hint in lowered for hint in GENERIC.hints):
            taken += self._search(readable, GENERIC, self._generic, taken, deadline)
        return sorted((hit for hit in taken if hit.score >= self.options.min_score), key=lambda hit: hit.start or 0)

    def _search(
        self, text: str, pattern: SecretPattern, expression: Regex, taken: list[Hit], deadline: Deadline
    ) -> list[Hit]:
        covered = sorted((hit.start or 0, hit.end or 0) for hit in taken)
        found = []
        for match in expression.finditer(text):
            deadline.check()
            start, end = _secret(match, pattern)
            if start < end and not _overlaps(covered, start, end):
                body = match.group(pattern.body) if pattern is not GENERIC else text[start:end]
                score = _score(pattern, text, start, end, body)
                if score > 0:
                    found.append(Hit(pattern.entity, score, start, end))
        return found


@functools.cache
def _hints() -> ahocorasick.Automaton:
    """Return what finds every hint in a text, each with the numbers of its patterns."""
    import ahocorasick

    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, pattern in enumerate(PATTERNS):
        for hint in pattern.hints:
            numbers[hint].append(number)
    automaton = ahocorasick.Automaton()
    for hint, its in numbers.items():
        automaton.add_word(hint, tuple(its))
    automaton.make_automaton()
    return automaton


def _merge(hits: list[Hit]) -> list[Hit]:
    """Drop a hit inside another with at least its score; return the rest by position."""
    kept: list[Hit] = []
    reaching: list[Hit] = []  # at most two, one of each reading
    for hit in sorted(set(hits), key=lambda hit: (hit.start or 0, -(hit.end or 0), -hit.score)):
        reaching = [other for other in reaching if (other.end or 0) > (hit.start or 0)]
        if not any((other.end or 0) >= (hit.end or 0) and other.score >= hit.score for other in reaching):
            reaching.append(hit)
            kept.append(hit)
    return kept


def _overlaps(covered: list[tuple[int, int]], start: int, end: int) -> bool:
    """`covered` is sorted and free of overlaps."""
    before = bisect_left(covered, (end,))
    return before > 0 and covered[before - 1][1] > start


def _secret(match: Match, pattern: SecretPattern) -> tuple[int, int]:
    if pattern is not GENERIC:
        return match.start(1), match.end(1)
    # Quoted in one of three ways, or bare: then the punctuation of the sentence is not part of it.
    quoted = next((group for group in (1, 2, 3) if match.start(group) >= 0), None)
    if quoted:
        return match.start(quoted), match.end(quoted)
    return match.start(4), match.start(4) + len(match.group(4).rstrip(".,;:!?&"))


def _score(pattern: SecretPattern, text: str, start: int, end: int, body: str) -> float:
    """Return how sure it is that the match is a secret in use; 0 when it is none at all."""
    if pattern.entity == "CONNECTION_STRING":
        score = EXAMPLE if is_example_connection(body) else pattern.score
    elif pattern.entity == "PRIVATE_KEY":
        score = pattern.score if is_key_block(body) else EXAMPLE
    elif pattern is GENERIC:
        score = _generic_score(body)
    else:
        score = EXAMPLE if looks_made_up(body, pattern.entropy) else pattern.score
    if score > EXAMPLE and has_checksum(text[start:end]):
        return 1.0
    if score > EXAMPLE and announced_as_example(text, start, end):
        return announced_score(score, vendor=pattern.entity not in _FORMLESS)
    return score


def _generic_score(value: str) -> float:
    if is_reference(value) or len(value) < 8:
        return 0.0
    if is_plain_words(value):
        return 0.2
    if looks_made_up(value, GENERIC.entropy):
        return EXAMPLE
    kinds = sum(any(test(letter) for letter in value) for test in (str.islower, str.isupper, str.isdigit))
    # Random values use digits and both cases, or are long (hexadecimal); passwords thought up by people lie between.
    return GENERIC.score if kinds == 3 or (kinds == 2 and len(value) >= 20) else 0.65 if kinds == 2 else 0.3


def has_checksum(token: str) -> bool:
    """Return whether a GitHub or npm token ends in the CRC-32 of the rest: then it is no invention."""
    prefix, _, body = token.partition("_")
    if f"{prefix}_" not in _CHECKED or len(body) != 36:
        return False
    check, expected = zlib.crc32(body[:30].encode()), ""
    while check:
        check, digit = divmod(check, 62)
        expected = _BASE62[digit] + expected
    return body[30:] == expected.rjust(6, "0")
