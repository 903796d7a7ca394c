"""Plain words and figures that say a person is a minor: they send a text to a reviewer and judge nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from screening.detectors.folding import fold

_WORDS = (
    "adolescent", "baby", "boyhood", "child", "children", "childhood", "elementary school", "grade schooler",
    "girlhood", "grader", "graders", "high school", "high schooler", "high schoolers", "infant", "infants",
    "junior high", "juvenile", "juveniles", "kid", "kids", "kindergarten", "kindergartner", "kindergartener",
    "little boy", "little boys", "little brother", "little girl", "little girls", "little sister", "middle school",
    "middle schooler", "middle schoolers", "minor", "minors", "newborn", "pre teen", "pre teens", "preadolescent",
    "preschooler", "preschoolers", "preteen", "preteens", "primary school", "pubescent", "prepubescent",
    "school boy", "school boys", "school girl", "school girls", "schoolboy", "schoolboys", "schoolchild",
    "schoolchildren", "schoolgirl", "schoolgirls", "teen", "teenage", "teenaged", "teenager", "teenagers", "teens",
    "toddler", "toddlers", "tween", "tweens", "under age", "under aged", "underage", "underaged", "young boy",
    "young boys", "young girl", "young girls", "youngster", "youngsters",
)  # fmt: skip

_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen",
)  # fmt: skip

# Ages 1 to 17: "9 years old", "twelve-year-old", "15yo", "15 y/o", "aged 12", "age: 16", "turned fourteen",
# "under 18", "below the age of eighteen". Separators are folded to a space or kept as hyphens.
_SEP = r"[ \-_]{0,2}"


def _by_first_letter(words: Iterable[str]) -> str:
    """Return what matches any of `words`: at most places in a text one look at the letter there is enough."""
    rest: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        rest[word[0]].append(word[1:].replace(" ", _SEP))
    return "|".join(f"{letter}(?:{'|'.join(ends)})" for letter, ends in rest.items())


_AGE = rf"(?:1[0-7]|0?[1-9]|{_by_first_letter(_NUMBERS)})"
_PATTERN = re.compile(
    r"(?<![^\W_])(?:"
    + _by_first_letter(_WORDS)
    + rf"|{_AGE}{_SEP}(?:(?:years?|yrs?)(?:{_SEP}olds?| of age)|yo|y/o|y\.o|yr|yrs)"
    + rf"|(?:aged?|turned|turning)[ :\-]{{0,2}}(?:of )?{_AGE}"
    + r"|(?:under|below|younger than|less than|not yet)(?: the)?(?: age)?(?: of)?[ \-]?(?:18|eighteen)"
    + r")(?![^\W_])"
)

_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[ .\-_*]{1,3}[^\W_]){2,}(?![^\W_])")
_SEPARATORS = re.compile(r"[ .\-_*]")
_LETTER_SIGNS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"})
# One token at a time: a single pattern for "a token with a letter beside a digit" takes quadratic time on digits.
_TOKEN = re.compile(r"[\w@$]+")
_MIXED = re.compile(r"[a-z][0-9@$]|[0-9@$][a-z]")


def mentions_minor(text: str) -> bool:
    """Return whether `text` names an age under 18 or a word for a minor, however it is spelled.

    Whole words; case, width, accents, look-alike letters, invisible characters, digits for letters and letters set
    apart by separators are folded. It answers for any context ("a minor issue" counts): it only ever adds a review.
    """
    folded = fold(text).text
    if _PATTERN.search(folded):
        return True
    joined = " ".join(_SEPARATORS.sub("", run) for run in _SPACED.findall(folded))
    if joined and _PATTERN.search(joined):
        return True
    # "k1d" reads as letters; "15yo" was read as a figure above, so this only adds.
    return _MIXED.search(folded) is not None and _PATTERN.search(_TOKEN.sub(_as_letters, folded)) is not None


def _as_letters(match: re.Match[str]) -> str:
    token = match[0]
    return token.translate(_LETTER_SIGNS) if _MIXED.search(token) else token
