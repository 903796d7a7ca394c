"""Texts amid harmless prose, as what is to be found stands in a long answer or in a document.

What a text says, and so its labels, stays: the prose around it has been called harmless by its source. Not for texts
with spans.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from screening.detectors.sentences import sentences

#: Words of a text that is surrounded; longer ones are amid their own.
LONGEST = 60
#: Words around it, at most: often fewer, because the prose ends before.
FEWEST, MOST = 10, 100
#: Sentences of a text that prose is taken from.
SENTENCES = 3


def prose_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the sentences of each text that has several."""
    found = [[text[start:end] for start, end in sentences(text)] for text in texts]
    return [own for own in found if len(own) >= SENTENCES]


def embedded(texts: Sequence[str], prose: Sequence[Sequence[str]], *, share: float, seed: int) -> list[str]:
    """Return the texts, each short one amid sentences of one of `prose` with probability `share`.

    The same ones for the same seed, and all as they are without prose.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret
    if not prose:
        return list(texts)
    return [
        amid(text, chance.choice(prose), FEWEST * (MOST / FEWEST) ** chance.random(), chance)
        if chance.random() < share and len(text.split()) <= LONGEST
        else text
        for text in texts
    ]


def amid(text: str, prose: Sequence[str], words: float, chance: random.Random) -> str:
    """Return `text` as a sentence, or a line, amid neighbouring sentences of `prose`, of `words` words or little more.

    Fewer, where `prose` ends.
    """
    first = chance.randrange(len(prose))
    around: list[str] = []
    for sentence in prose[first:]:
        if sum(len(one.split()) for one in around) >= words:
            break
        around.append(sentence)
    place = chance.randint(0, len(around))
    return chance.choice((" ", "\n")).join([*around[:place], text.strip(), *around[place:]])
