"""The words around a number that tell what it is, as Presidio's LemmaContextAwareEnhancer finds them.

Presidio's way walks the tokens of the whole text for every result. This one reads blocks of the text once, and only
those before and at a result.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Iterable

from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD_START = re.compile(r"(?<!\w)\w+")
_WORD = re.compile(r"\w+")
_BLOCK = 100

_enhancer = LemmaContextAwareEnhancer()


class Context:
    """Presidio's keywords of one text: words in lower case, without stop words."""

    def __init__(self, text: str, stop_words: frozenset[str]) -> None:
        self._text = text
        self._stop_words = stop_words
        self._blocks: dict[int, tuple[list[int], list[str]]] = {}
        self._word = (0, 0)
        self._start = -1
        self._around = ""

    def score(self, score: float, start: int, words: tuple[str, ...]) -> float:
        """Return the score of a result at `start`: raised when one of `words`, in lower case, is near it."""
        if start != self._start:  # several recognizers often have a result at one place
            self._start, self._around = start, "\n".join(self._near(start))  # no word has a line break in it
        if not any(word in self._around for word in words):
            return score
        raised = max(score + _enhancer.context_similarity_factor, _enhancer.min_score_with_context_similarity)
        return float(min(raised, _enhancer.MAX_SCORE))

    def _near(self, start: int) -> list[str]:
        """Return the keywords that Presidio looks at: those before the token at `start`, it, and the next after it."""
        begin = self._token(start)
        number = begin // _BLOCK
        starts, words = self._block(number)
        place = bisect_left(starts, begin)
        after = self._next(number, place)
        count = _enhancer.context_prefix_count + 1 - (place < len(starts) and starts[place] == begin)
        near = words[max(place - count, 0) : place]
        while len(near) < count and number:
            number -= 1
            near = self._block(number)[1][len(near) - count :] + near
        return near + after

    def _token(self, start: int) -> int:
        """Return where the token at `start` begins: before it when a result begins inside a word."""
        if self._word[0] <= start < self._word[1]:
            return self._word[0]
        begin = start
        while begin and _is_word(self._text[begin]) and _is_word(self._text[begin - 1]):
            begin -= 1
        word = _WORD.match(self._text, begin)
        self._word = word.span() if word else self._word
        return begin

    def _next(self, number: int, place: int) -> list[str]:
        """Return the keyword at `place` in a block, else the first after it; none at the end of the text."""
        for later in range(number, len(self._text) // _BLOCK + 1):
            words = self._block(later)[1]
            if place < len(words):
                return [words[place]]
            place = 0
        return []

    def _block(self, number: int) -> tuple[list[int], list[str]]:
        """Return the keywords that begin in a block: where, and which."""
        if number not in self._blocks:
            self._blocks[number] = self._keywords(number * _BLOCK, min((number + 1) * _BLOCK, len(self._text)))
        return self._blocks[number]

    def _keywords(self, start: int, end: int) -> tuple[list[int], list[str]]:
        starts, words = [], []
        for match in _WORD_START.finditer(self._text, start, end):
            whole = match if match.end() < end else _WORD.match(self._text, match.start())
            word = whole[0].lower() if whole else ""
            if word not in self._stop_words and word not in ("be", "_"):
                starts.append(match.start())
                words.append(word)
        return starts, words


@functools.lru_cache(maxsize=4_096)
def _is_word(character: str) -> bool:
    return _WORD.match(character) is not None


def lower_case(words: Iterable[str] | None) -> tuple[str, ...]:
    """Return a recognizer's context words as `Context.score` wants them."""
    return tuple(word.lower() for word in words or ())
