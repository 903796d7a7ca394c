"""`grounding`: sentences of the output that nothing in the check's context documents supports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, pairwise, repeat
from typing import Any

from pydantic import Field

from screening.detectors.base import Fault, Options
from screening.detectors.configured import find_guard_llm
from screening.detectors.folding import WRITTEN_WITHOUT_SPACES
from screening.detectors.guard_llm import guard_llm, read
from screening.detectors.sentences import sentences
from screening.detectors.served import Answer, Ask, Judged, Models, ServedDetector, Unread, unread
from screening.detectors.support import content_words, most_shared, unsupported
from screening.findings import DEADLINE, Deadline, DeadlineExceeded, Hit, Queue
from screening.guard_formats.base import UNSAFE
from screening.guard_formats.registry import GROUNDING
from screening.sentences import say

UNSUPPORTED = "unsupported"
NO_CONTEXT = "no context"
TOO_LONG = "too many sentences"
#: Sentences of an output that are compared, and that a judge is asked about, one call each.
MAX_CLAIMS = 200
MAX_JUDGED = 50
#: Ends of sentences that are looked at, of an output and of all documents: the checks beside it wait that long.
MAX_ENDS = 5_000
MAX_CONTEXT_ENDS = 20_000
#: Sentences of the context that are embedded; of more, those that share most words with the output.
MAX_CONTEXT = 300
#: Characters of a sentence of the context that are compared: each claim that it is near to reads it again.
MAX_SENTENCE = 20_000
#: Characters of context that a judge gets with each sentence.
MAX_DOCUMENTS = 16_000

_WORDS = re.compile(rf"{WRITTEN_WITHOUT_SPACES}|[^\W_]+")
# What is said to the reader and claims nothing of the documents: a word before a clause, or a whole clause.
_TALK = re.compile(
    r"\W*(?:and |but )?(?:(?:sure|of course|certainly)\b|(?:i hope|i'm sorry|i am sorry|let me know|feel free"
    r"|please (?:let|feel|contact|ask)|thank(?:s| you)|you're welcome|hello|hi\b|here (?:is|are)\b|would you like"
    r"|good (?:morning|day)|i(?:'d| would|'ll| will|'m| am)? (?:be )?(?:happy|glad|pleased))\b[^,;:!–—]*)",
    re.IGNORECASE,
)


class GroundingOptions(Options):
    """`judge`: a guard LLM of the models file that judges each sentence; without one, wording is compared here."""

    judge: str | None = Field(default=None, min_length=1)

    def unavailable(self, categories: set[str], entities: set[str]) -> list[Fault]:
        """Return a fault for a judge that the models file does not have, or whose format judges no grounding."""
        if self.judge is None:
            return []
        model, faults = find_guard_llm(self.judge, "judge")
        if model is not None and model.format not in GROUNDING:
            message = say("the format %(format)s judges no grounding", format=model.format)
            hint = say("one of: %(values)s", values=", ".join(sorted(GROUNDING)))
            faults = [Fault(("options", "judge"), message, hint)]
        return faults


class Grounding(ServedDetector):
    name = "grounding"
    queue = "gpu"
    maps = "categories"
    labels = frozenset({UNSUPPORTED})
    version = "grounding-1"
    reads_context = True
    options_type = GroundingOptions

    def __init__(self, options: GroundingOptions) -> None:
        self.options = options

    @classmethod
    def queue_of(cls, options: Mapping[str, Any]) -> Queue:
        """Return the queue of guard LLMs when one judges."""
        return "llm" if options.get("judge") else "gpu"

    def ask(self, asks: Sequence[Ask], models: Models) -> list[Answer]:
        """Compare or judge each sentence of each output; other texts have nothing to be grounded in."""
        return [self._ask_in_time(ask, models) for ask in asks]

    def _ask_in_time(self, ask: Ask, models: Models) -> Answer:
        try:
            return self._ask(ask, models)
        except Unread as error:
            return unread(str(error))
        except DeadlineExceeded:
            return unread(DEADLINE)

    def _ask(self, ask: Ask, models: Models) -> Answer:
        output = next((text.text for text in ask.texts if text.is_output), "")
        places = claims_of(output, ask.deadline)
        version = self.version
        if not places:
            return lambda: Judged({}, version)
        if not any(document.strip() for document in ask.context):
            return unread(NO_CONTEXT)
        if len(places) > (MAX_JUDGED if self.options.judge else MAX_CLAIMS):
            return unread(TOO_LONG)
        claims = [output[start:end] for start, end in places]
        if self.options.judge:
            version = f"{self.options.judge}@{guard_llm(self.options.judge).model}"
            scores = self._judged(self.options.judge, claims, ask, models)
        else:
            scores = _compared(claims, ask, models)

        def answer() -> Judged:
            hits = [Hit(UNSUPPORTED, score, *place) for place, score in zip(places, scores(), strict=True)]
            return Judged({"output": hits}, version)

        return answer

    def _judged(self, judge: str, claims: Sequence[str], ask: Ask, models: Models) -> Callable[[], list[float]]:
        call_of = GROUNDING[guard_llm(judge).format]
        calls = [call_of(claim, documents) for claim, documents in zip(claims, _documents(claims, ask), strict=True)]
        futures = [models.chat(judge, call.body, ask.deadline) for call in calls]
        return lambda: [read(call, future, ask)[UNSAFE].value for call, future in zip(calls, futures, strict=True)]


def claims_of(output: str, deadline: Deadline = Deadline()) -> list[tuple[int, int]]:  # noqa: B008 (frozen)
    """Return the places of the sentences that claim something: no questions, no courtesies, no fragments.

    Raise Unread for more than MAX_ENDS, and DeadlineExceeded.
    """
    return [
        (start, end)
        for start, end in sentences(output, at_end=_at_most(MAX_ENDS, deadline))
        if not output[start:end].endswith("?") and _claims(output, start, end)
    ]


def _claims(output: str, start: int, end: int) -> bool:
    """Return whether a sentence says more than courtesies: three words or more, or so many Chinese characters."""
    while talk := _TALK.match(output, start, end):
        start = talk.end()
    return sum(1 for _ in islice(_WORDS.finditer(output, start, end), 3)) == 3


def _compared(claims: Sequence[str], ask: Ask, models: Models) -> Callable[[], list[float]]:
    single = [unit[:MAX_SENTENCE] for unit in _units(ask)]
    # A claim may join what two sentences say.
    units = list(dict.fromkeys(single + [f"{first} {second}" for first, second in pairwise(single)]))
    if len(units) > MAX_CONTEXT:
        units = _by_words(claims, single, ask.deadline)[:MAX_CONTEXT]
    future = models.compare(claims, units, ask.deadline)

    def scores() -> list[float]:
        found = []
        for claim, cosines in zip(claims, future.result(max(0.0, ask.deadline.remaining())), strict=True):
            ask.deadline.check()
            near = sorted(zip(units, cosines, strict=True), key=lambda pair: -pair[1])
            found.append(unsupported(claim, near))
        return found

    return scores


def _units(ask: Ask) -> list[str]:
    """Return the sentences of the documents; raise Unread for more than MAX_CONTEXT_ENDS, and DeadlineExceeded."""
    at_end = _at_most(MAX_CONTEXT_ENDS, ask.deadline)
    return [document[start:end] for document in ask.context for start, end in sentences(document, at_end=at_end)]


def _at_most(count: int, deadline: Deadline) -> Callable[[], None]:
    left = iter(range(count))

    def at_end() -> None:
        deadline.check()
        if next(left, None) is None:
            raise Unread(TOO_LONG)

    return at_end


def _documents(claims: Sequence[str], ask: Ask) -> Iterator[Sequence[str]]:
    """Yield a judge's documents for each claim: whole, or the sentences that share most words with it, in order."""
    if sum(map(len, ask.context)) <= MAX_DOCUMENTS:
        yield from repeat(ask.context, len(claims))
        return
    units = _units(ask)
    words = _words(units, ask.deadline)
    for claim in claims:
        ask.deadline.check()
        wanted = content_words(claim)
        shared = [len(wanted & each) for each in words]
        kept: set[int] = set()
        room = MAX_DOCUMENTS
        for place in sorted(range(len(units)), key=shared.__getitem__, reverse=True):
            if (room := room - len(units[place])) < 0:
                break
            kept.add(place)
        yield ["\n".join(units[place] for place in sorted(kept))]


def _by_words(claims: Sequence[str], single: Sequence[str], deadline: Deadline) -> list[str]:
    """Return sentences and pairs of neighbours in the order of how many words they share with a claim, most first."""
    most = most_shared([content_words(claim) for claim in claims])
    words = _words(single, deadline)
    shared = dict(zip(single, map(most, words), strict=True))
    for (first, one), (second, other) in pairwise(zip(single, words, strict=True)):
        deadline.check()
        shared[f"{first} {second}"] = most(one | other)
    return sorted(shared, key=shared.__getitem__, reverse=True)


def _words(units: Sequence[str], deadline: Deadline) -> list[set[str]]:
    words = []
    for unit in units:
        deadline.check()
        words.append(content_words(unit))
    return words
