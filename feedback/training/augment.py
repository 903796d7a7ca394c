"""Texts as people also write them: in another case, with typos, or spelled so that filters miss a word.

What a text says, and so its labels, stays. Not for texts with spans: characters come and go.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

WORD = re.compile(r"[^\W\d_]{4,}")
#: Share of the words of a text that are changed.
WORDS = {"typos": 0.15, "obfuscation": 0.25}
NEIGHBOURS = {
    pair: near
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, pair in enumerate(row)
    for near in [row[max(0, place - 1) : place] + row[place + 1 : place + 2]]
}
LEET = str.maketrans("aeiostAEIO", "4310$7@3!0")
#: Cyrillic letters that look like Latin ones.
ALIKE = str.maketrans("aceopxyABEHKMOPCTX", "асеорхуАВЕНКМОРСТХ")


def disturb(text: str, kind: str, chance: random.Random) -> str:
    """Return `text` disturbed in one of KINDS."""
    return KINDS[kind](text, chance)


def augmented(texts: Sequence[str], *, share: float, seed: int) -> list[str]:
    """Return the texts, each disturbed in some way with probability `share`; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret
    kinds = sorted(KINDS)
    return [disturb(text, chance.choice(kinds), chance) if chance.random() < share else text for text in texts]


def _case(text: str, chance: random.Random) -> str:
    return chance.choice((str.upper, str.lower, str.title, str.swapcase))(text)


def _typos(text: str, chance: random.Random) -> str:
    return WORD.sub(lambda found: _typo(found[0], chance) if chance.random() < WORDS["typos"] else found[0], text)


def _typo(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    near = NEIGHBOURS.get(letter.lower(), letter)
    return chance.choice(
        (
            before + after,
            before + letter + letter + after,
            before + chance.choice(near) + after,
            before + after[0] + letter + after[1:],
        )
    )


def _obfuscation(text: str, chance: random.Random) -> str:
    way = chance.choice(WAYS)
    return WORD.sub(lambda found: way(found[0]) if chance.random() < WORDS["obfuscation"] else found[0], text)


WAYS: tuple[Callable[[str], str], ...] = (
    lambda word: word.translate(LEET),
    lambda word: word.translate(ALIKE),
    " ".join,
    ".".join,
    "\u200b".join,
    lambda word: word[0] + "*" * (len(word) - 2) + word[-1],
    lambda word: "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(word)),
)
KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "case": _case,
    "typos": _typos,
    "obfuscation": _obfuscation,
}
