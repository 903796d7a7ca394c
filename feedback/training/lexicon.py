"""Weak profanity labels from a word list (shared/data/lexicon_profanity_en.csv), for texts no source labelled."""

from __future__ import annotations

import csv
import re
from pathlib import Path

_WORD = re.compile(r"[\w@$*']+")
#: From here on the list's severity (1 mild to 3 severe) means foul language in any company.
STRONG = 1.8


class Lexicon:
    """Terms of one to three words, matched as whole words in any case."""

    def __init__(self, strong: frozenset[str], mild: frozenset[str]) -> None:
        self._strong, self._mild = strong, mild

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        strong: set[str] = set()
        mild: set[str] = set()
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                (strong if float(row["severity_rating"]) >= STRONG else mild).add(row["text"].casefold())
        return cls(frozenset(strong), frozenset(mild))

    def verdict(self, text: str) -> int | None:
        """Return 1 when a strong term occurs, 0 when no term occurs at all, None in between."""
        words = _WORD.findall(text.casefold())
        terms = {" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}
        if terms & self._strong:
            return 1
        return None if terms & self._mild else 0
