"""What waits for the model: the pieces of texts, what becomes of each text, and how many there were."""

from __future__ import annotations

import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from screening.findings import Deadline

Piece = TypeVar("Piece", bound="Sized")
Result = TypeVar("Result")


class Sized(Protocol):
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Read(Generic[Result]):
    """Results of the pieces of one text, in order, and how long it waited and was read, in milliseconds."""

    results: list[Result]
    queue_ms: float
    inference_ms: float


@dataclass(slots=True)
class Counts:
    """Since the start: texts accepted, refused and dropped, batches that failed, batches read and their tokens.

    Of the texts accepted, those are dropped that were too late or withdrawn.
    """

    texts: int = 0
    refused: int = 0
    dropped: int = 0
    failed: int = 0
    batches: int = 0
    tokens: int = 0
    padded_tokens: int = 0


@dataclass(slots=True, eq=False)
class Text(Generic[Result]):
    """A text of which `left` pieces have no result yet, and `waiting` tokens are in the queue.

    `launched` is when the first of them began to be read.
    """

    deadline: Deadline
    submitted: float
    left: int
    results: list[Result | None]
    future: Future[Read[Result]] = field(default_factory=Future)
    launched: float = 0.0
    waiting: int = 0

    def fail(self, error: Exception) -> None:
        """Give its caller `error`, unless there is an answer already."""
        # Its caller may have given up in the meantime.
        with suppress(InvalidStateError):
            self.future.set_exception(error)

    def answer(self) -> None:
        """Give its caller all results, unless the text failed."""
        waited, read = self.launched - self.submitted, time.monotonic() - self.launched
        whole = [one for one in self.results if one is not None]
        with suppress(InvalidStateError):
            self.future.set_result(Read(whole, waited * 1000, read * 1000))


@dataclass(slots=True, eq=False)
class Waiting(Generic[Piece, Result]):
    """A piece of a text; that of the earliest `turn` comes first."""

    text: Text[Result]
    index: int
    piece: Piece
    turn: float

    def __lt__(self, other: Waiting[Piece, Result]) -> bool:
        return self.turn < other.turn
