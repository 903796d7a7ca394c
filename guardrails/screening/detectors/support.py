"""How well some sentences of documents support a claim: a few features, and weights that were fitted to them.

It compares wording, numbers, names and negations; it does not understand. `python -m bench.grounding --fit` makes the
weights from sentences of our own, and without `--fit` says how good they are on others.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from screening.detectors.support_words import NEGATIONS, NUMBERS, OPPOSITES, STOP

#: Context sentences, the nearest by embedding, that a claim is compared with.
EVIDENCE = 3
FEATURES = ("distance", "uncovered", "numbers", "names", "negation", "opposites")
#: Made by `python -m bench.grounding --fit`.
BIAS = -2.91
WEIGHTS = (3.90, 2.25, 3.12, 2.67, 3.33, 1.36)

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WRITTEN = {word: str(number) for number, word in enumerate(NUMBERS)} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
    "thousand": "1000",
}
_NEGATIONS = frozenset(NEGATIONS)
_PAIRS = tuple(frozenset(pair.split("/")) for pair in OPPOSITES)
_STOP = frozenset(STOP)
_SUFFIX = re.compile(r"(?:ing|edly|ed|ly|ies|es|s|'s|’s)$")


def features(claim: str, evidence: Sequence[tuple[str, float]]) -> list[float]:
    """Return FEATURES, each 0 (agrees) to 1, of a claim against (sentence, cosine), the nearest first."""
    texts = [text for text, _ in evidence[:EVIDENCE]]
    near = texts[0] if texts else ""
    given = " ".join(texts)
    nearest = max((cosine for _, cosine in evidence), default=0.0)
    return [
        1.0 - max(0.0, min(1.0, nearest)),
        _missing(_content(claim), _content(given)),
        float(bool(_numbers(claim) - _numbers(given))),
        _missing(_names(claim), {word.lower() for word in _WORD.findall(given)}),
        float(_negated(claim) != _negated(near)),
        float(_opposed(claim, near)),
    ]


def unsupported(claim: str, evidence: Sequence[tuple[str, float]]) -> float:
    """Return the probability, 0 to 1, that nothing in the evidence supports the claim."""
    odds = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, features(claim, evidence), strict=True))
    return 1.0 / (1.0 + math.exp(-odds))


def content_words(text: str) -> set[str]:
    """Return the words that carry meaning, without their endings."""
    return _content(text)


def most_shared(claims: Sequence[Collection[str]]) -> Callable[[Iterable[str]], int]:
    """Return what tells how many of some different words a claim has, of the claim that has most of them.

    In time that grows with the words and hardly with the claims: all are counted at once, a bit for each.
    """
    having: defaultdict[str, int] = defaultdict(int)
    for number, words in enumerate(claims):
        for word in words:
            having[word] |= 1 << number

    def most(words: Iterable[str]) -> int:
        counts: list[int] = []  # in binary: the ones of every claim's count, the twos, the fours
        for word in words:
            carry = having.get(word, 0)
            for digit, ones in enumerate(counts):
                counts[digit], carry = ones ^ carry, ones & carry
            if carry:
                counts.append(carry)
        among, count = -1, 0
        for digit in reversed(range(len(counts))):
            if higher := among & counts[digit]:
                among, count = higher, count + (1 << digit)
        return count

    return most


def _content(text: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return {_SUFFIX.sub("", word) for word in words if word not in _STOP and not word[0].isdigit() and len(word) > 2}


def _missing(wanted: set[str], there: set[str]) -> float:
    return len(wanted - there) / len(wanted) if wanted else 0.0


def _numbers(text: str) -> set[str]:
    found = {number.replace(",", "").rstrip(".") for number in _NUMBER.findall(text)}
    return found | {_WRITTEN[word] for word in (each.lower() for each in _WORD.findall(text)) if word in _WRITTEN}


def _names(text: str) -> set[str]:
    """Return capitalised words, lower-cased; the first word of the sentence says nothing."""
    words = list(_WORD.finditer(text))
    return {word[0].lower() for word in words[1:] if word[0][0].isupper() and word[0].lower() not in _STOP}


def _negated(text: str) -> bool:
    return sum(word.lower().replace("’", "'") in _NEGATIONS for word in _WORD.findall(text)) % 2 == 1


def _opposed(claim: str, near: str) -> bool:
    ours, theirs = ({word.lower() for word in _WORD.findall(text)} for text in (claim, near))
    return any(len(pair & ours) == 1 and len(pair & theirs) == 1 and pair & ours != pair & theirs for pair in _PAIRS)
