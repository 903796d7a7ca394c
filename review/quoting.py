"""Places that a reviewer marks by writing their text: for forms without scripts, which can not move marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.http import QueryDict
from django.utils.translation import gettext as _

from review.errors import InvalidAnswer
from review.spans import MAX_SPANS, MarkedSpan

#: Texts that one form takes.
ROWS = 3

#: A text and its type, as they were filled in.
Quoted = tuple[str, str]


def read_quotes(post: QueryDict) -> list[Quoted]:
    """Return what was filled in, without rows that are empty."""
    rows = zip(post.getlist("quote")[:ROWS], post.getlist("quote-type")[:ROWS], strict=False)
    return [(text, label) for text, label in rows if text]


def quote_rows(quotes: Sequence[Quoted]) -> list[Quoted]:
    """Return the rows of the form: what was filled in, and empty ones."""
    return [*quotes, *[("", "")] * (ROWS - len(quotes))]


def quoted_spans(quotes: Sequence[Quoted], output: str | None) -> list[MarkedSpan]:
    """Return every place of the output that has one of the texts; raise InvalidAnswer for one that it has not."""
    found: list[MarkedSpan] = []
    for text, label in quotes:
        places = list(_places(text, output or ""))
        if not places:
            raise InvalidAnswer(_("One of the texts to mark is not in the output. Copy it from there."))
        if not label:
            raise InvalidAnswer(_("Choose a type for each text to mark."))
        found += [MarkedSpan(start, start + len(text), label) for start in places]
    if len(found) > MAX_SPANS:
        raise InvalidAnswer(_("A text to mark is in too many places. Write more of it."))
    return found


def _places(text: str, output: str) -> Iterator[int]:
    at = output.find(text)
    while at >= 0:
        yield at
        at = output.find(text, at + len(text))
