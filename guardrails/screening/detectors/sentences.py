"""Cut a text into sentences, with their places. By rule: no model, no language but what punctuation tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# An end, quotes or brackets that close after it, and then a blank; or a line break; or an end that needs no blank.
# A row of marks is tried from its first one alone, so that a text of nothing else is read in linear time.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|\n+|[。！？]+[」』”’）]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|approx|No|Nos|Fig|pp?|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug"
    r"|Sept?|Oct|Nov|Dec|e\.g|i\.e|a\.m|p\.m|cf|ca|al|[A-Z]\.[A-Z]))\.$"
)
_MARK = re.compile(r"\s*(?:[-*•#>]+\s+|\d{1,3}[.)]\s+)*")


def sentences(text: str, *, at_end: Callable[[], None] = lambda: None) -> Iterator[tuple[int, int]]:
    """Yield start and end (code points) of every sentence, without blanks, bullets or numbers of lists around it.

    `at_end` is called at everything that may end one: a text may have very many of them and few sentences.
    """
    start = 0
    for end in _END.finditer(text):
        at_end()
        short = end[0] == "." and _ABBREVIATION.search(text, max(start, end.end() - 12), end.end())
        # Before a line break even an abbreviation ends its sentence.
        if short and text[end.end() : end.end() + 1] != "\n":
            continue
        if end.start() - start < 8 and text[start : end.start()].strip().isdecimal():
            continue  # the number of an item
        yield from _stripped(text, start, end.end())
        start = end.end()
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    mark = _MARK.match(text, start, end)
    start = mark.end() if mark else start
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(character.isalnum() for character in text[start:end]):
        yield start, end
