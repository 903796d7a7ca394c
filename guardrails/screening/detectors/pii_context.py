"""The words around a number that tell what it is, as Presidio's LemmaContextAwareEnhancer finds them.

Presidio's way walks the tokens of the whole text for every result. This one reads blocks of the text once, and only
those before and at a result.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD_START = re.compile(r"(?<!\w)\w+")
_WORD = re.compile(r"\w+")
_BLOCK = 300

_enhancer = LemmaContextAwareEnhancer()


class Context:
    """Presidio's keywords of one text: words in lower case, without stop words."""

    def __init__(self, text: str, stop_words: frozenset[str]) -> None:
        self._text = text
        self._stop_words = stop_words
        self._blocks: dict[int, list[tuple[int, str]]] = {}
        self._word = (0, 0)
        self._start = -1
        self._around: tuple[str, ...] = ()

    def score(self, score: float, start: int, words: tuple[str, ...]) -> float:
        """Return the score of a result at `start`: raised when one of `words`, in lower case, is near it."""
        if start != self._start:  # several recognizers often have a result at one place
            self._start, self._around = start, tuple(self._near(start))
        if not any(word in keyword for keyword in self._around for word in words):
            return score
        raised = max(score + _enhancer.context_similarity_factor, _enhancer.min_score_with_context_similarity)
        return float(min(raised, _enhancer.MAX_SCORE))

    def _near(self, start: int) -> Iterator[str]:
        """Yield the keywords that Presidio looks at: those before the token at `start`, it, and the next after it."""
        begin = self._token(start)
        after = self._next(begin)
        before = _enhancer.context_prefix_count + 1
        if after is not None:
            yield after[1]
            before -= after[0] == begin
        yield from self._last(begin, before)

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

    def _next(self, position: int) -> tuple[int, str] | None:
        for number in range(position // _BLOCK, len(self._text) // _BLOCK + 1):
            for start, word in self._block(number):
                if start >= position:
                    return start, word
        return None

    def _last(self, position: int, count: int) -> Iterator[str]:
        for number in range(position // _BLOCK, -1, -1):
            for start, word in reversed(self._block(number)):
                if start < position:
                    if not count:
                        return
                    yield word
                    count -= 1

    def _block(self, number: int) -> list[tuple[int, str]]:
        """Return the keywords that begin in a block."""
        if number not in self._blocks:
            self._blocks[number] = list(self._keywords(number * _BLOCK, min((number + 1) * _BLOCK, len(self._text))))
        return self._blocks[number]

    def _keywords(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        for match in _WORD_START.finditer(self._text, start, end):
            whole = match if match.end() < end else _WORD.match(self._text, match.start())
            word = whole[0].lower() if whole else ""
            if word not in self._stop_words and word not in ("be", "_"):
                yield match.start(), word


@functools.lru_cache(maxsize=4_096)
def _is_word(character: str) -> bool:
    return _WORD.match(character) is not None


def lower_case(words: Iterable[str] | None) -> tuple[str, ...]:
    """Return a recognizer's context words as `Context.score` wants them."""
    return tuple(word.lower() for word in words or ())
