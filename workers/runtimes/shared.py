"""The guard model as workers serve it: many callers share the batches of one runtime."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from screening.findings import DEADLINE, Deadline, DeadlineExceeded, Prediction
from workers.batching import Batcher, Closed, Overloaded
from workers.runtimes.choice import Wanted, choose_runtime
from workers.runtimes.guard import EncoderGuard
from workers.runtimes.packed import PackedRuntime
from workers.runtimes.reading import Reading
from workers.runtimes.tuples import Outputs
from workers.runtimes.windows import Window
from workers.waiting import Read

#: The windows of a text, and who will have read them, or why nobody will.
Asked = tuple[Sequence[Window], Future[Read[Outputs]] | str]
OVERLOADED = "overloaded"
#: Tokens that may wait: some seconds of a CPU core, a fraction of a second of a GPU.
CPU_CAPACITY, CUDA_CAPACITY = 100_000, 4_000_000
#: How far lanes on a CPU stand back behind web, exact rules and database.
NICE = 5


class SharedGuard(EncoderGuard):
    """An `EncoderGuard` whose callers, each in its thread, share batches. Owns threads: close it."""

    def __init__(self, folder: Path, *, device: str = "auto", precision: Wanted = "auto", lanes: int = 1) -> None:
        """As EncoderGuard; `precision` as `choose_runtime` takes it. Return when all lanes are warm.

        On a CPU, `lanes` batches are read at the same time, each on one thread. CUDA has one lane, whatever is asked.
        """
        super().__init__(folder, device=device)
        self.runtime = choose_runtime(self._net, self._config, self._tokenizer, self.device, precision)
        self.batcher: Batcher[np.ndarray, Outputs]
        if self.device.type == "cuda":
            lanes, capacity = 1, CUDA_CAPACITY
        else:
            capacity = CPU_CAPACITY
        enter = partial(_enter_lane, self.runtime, self._config.window)
        self.batcher = Batcher(self.runtime, capacity=capacity, lanes=lanes, initializer=enter)
        self.batcher.wait_until_warm()

    def close(self) -> None:
        """Fail what waits, and end the threads."""
        self.batcher.close()

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return a prediction a text, in order; those that came too late, or found the queue full, are unscanned.

        Word pieces are made here, in the caller's thread, of short texts first: they are read while those of long ones
        are made. Raise Closed when nobody reads any more.
        """
        due = deadlines or [Deadline()] * len(texts)
        shortest_first = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        asked = {i: self._ask(texts[i], due[i]) for i in shortest_first}
        return [self._wait(*asked[i], due[i]) for i in range(len(texts))]

    def _ask(self, text: str, deadline: Deadline) -> Asked:
        windows = self._windows([text], [deadline])
        if not windows:
            return windows, DEADLINE
        try:
            return windows, self.batcher.submit([np.array(window.ids, dtype=np.int32) for window in windows], deadline)
        except Overloaded:
            return windows, OVERLOADED

    def _wait(self, windows: Sequence[Window], asked: Future[Read[Outputs]] | str, deadline: Deadline) -> Prediction:
        if isinstance(asked, str):
            return Prediction(scores={}, unscanned=asked)
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
        reading.add(range(len(windows)), read.results)
        (prediction,) = reading.predictions(late=())
        return replace(prediction, queue_ms=read.queue_ms, inference_ms=read.inference_ms)


def _enter_lane(runtime: PackedRuntime, window: int) -> None:
    if not runtime.overlaps:
        # Of this thread, and of those that begin later: lanes share no product.
        torch.set_num_threads(1)
        if sys.platform == "linux":
            # There niceness is a thread's own, too; elsewhere it would add up each time that the model is loaded.
            os.nice(NICE)
    runtime.warm_up(window)


def _seconds(deadline: Deadline) -> float | None:
    left = deadline.remaining()
    return None if left == float("inf") else max(0.0, left)
