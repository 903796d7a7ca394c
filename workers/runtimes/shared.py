"""The guard model as workers serve it: many callers share the batches of one runtime."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from screening.findings import DEADLINE, Deadline, DeadlineExceeded, Prediction
from workers.batching import Batcher, Closed, Overloaded, Read
from workers.runtimes.choice import Wanted, choose_runtime
from workers.runtimes.guard import EncoderGuard
from workers.runtimes.net import Outputs
from workers.runtimes.reading import Reading
from workers.runtimes.windows import Window

OVERLOADED = "overloaded"
#: Tokens that may wait: some seconds of a CPU core, a fraction of a second of a GPU.
CPU_CAPACITY, CUDA_CAPACITY = 100_000, 4_000_000


class SharedGuard(EncoderGuard):
    """An `EncoderGuard` whose callers, each in its thread, share batches. Owns a thread: close it."""

    def __init__(self, folder: Path, *, device: str = "auto", precision: Wanted = "auto") -> None:
        """As EncoderGuard; `precision` as `choose_runtime` takes it."""
        super().__init__(folder, device=device)
        self.runtime = choose_runtime(self._net, self._config, self._tokenizer, self.device, precision)
        capacity = CUDA_CAPACITY if self.device.type == "cuda" else CPU_CAPACITY
        self.batcher: Batcher[np.ndarray, Outputs] = Batcher(self.runtime, capacity=capacity)

    def close(self) -> None:
        """Fail what waits, and end the thread."""
        self.batcher.close()

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return a prediction a text, in order; those that came too late, or found the queue full, are unscanned.

        Word pieces are made here, in the caller's thread. Raise Closed when nobody reads any more.
        """
        windows = self._tokenizer.windows(texts, size=self._config.window, overlap=self._config.overlap)
        own: list[list[Window]] = [[] for _ in texts]
        for window in windows:
            own[window.text].append(replace(window, text=0))
        due = deadlines or [Deadline()] * len(texts)
        asked = [self._ask(pieces, deadline) for pieces, deadline in zip(own, due, strict=True)]
        return [self._wait(one, pieces, deadline) for one, pieces, deadline in zip(asked, own, due, strict=True)]

    def _ask(self, windows: Sequence[Window], deadline: Deadline) -> Future[Read[Outputs]] | None:
        try:
            return self.batcher.submit([np.array(window.ids, dtype=np.int32) for window in windows], deadline)
        except Overloaded:
            return None

    def _wait(self, asked: Future[Read[Outputs]] | None, windows: Sequence[Window], deadline: Deadline) -> Prediction:
        if asked is None:
            return Prediction(scores={}, unscanned=OVERLOADED)
        try:
            read = asked.result(_seconds(deadline))
        except Closed:
            raise
        except (DeadlineExceeded, CancelledError, TimeoutError):
            asked.cancel()
            return Prediction(scores={}, unscanned=DEADLINE)
        except Exception as error:  # noqa: BLE001 - this batch failed; the model may be well
            return Prediction(scores={}, unscanned=type(error).__name__)
        reading = Reading(windows, 1, self._config, self._tokenizer.later)
        reading.add(range(len(windows)), _stacked(read.results))
        (prediction,) = reading.predictions(late=())
        return replace(prediction, queue_ms=read.queue_ms, inference_ms=read.inference_ms)


def _seconds(deadline: Deadline) -> float | None:
    left = deadline.remaining()
    return None if left == float("inf") else max(0.0, left)


def _stacked(rows: Sequence[Outputs]) -> Outputs:
    first = rows[0]
    return Outputs(
        torch.stack([row.logits for row in rows]),
        None if first.tokens is None else pad_sequence([row.tokens for row in rows if row.tokens is not None], True),
        None if first.embedding is None else torch.stack([row.embedding for row in rows if row.embedding is not None]),
    )
