"""The models of the models file as a worker serves them: each on threads of its own, loaded at the first need."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from screening.detectors.base import GuardModel
from screening.detectors.served import Classified, ModelMissing, Reply
from screening.findings import Deadline
from screening.models_file import ModelsFileError, configured_models
from workers.classifiers import load_classifier

if TYPE_CHECKING:
    from workers.endpoints import Endpoint
    from workers.runtimes.similarity import Similarity

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
#: Texts from which on no further message joins those that a classifier reads together.
TOGETHER = 256


class ModelLoading(Exception):
    """The model is being loaded; nobody waits for that."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What one message asks of a classifier."""

    texts: Sequence[str]
    deadlines: Sequence[Deadline]
    answer: Future[Classified] = field(default_factory=Future)


class Lane:
    """One classifier on one thread: it can neither hold up the guard model nor another classifier.

    What several messages ask while it reads, it reads together next. Loading happens on that thread, too. Until it is
    done, and for RETRY_SECONDS after it failed, asking fails at once.
    """

    def __init__(self, name: str, load: Callable[[str], GuardModel] = load_classifier) -> None:
        self._name = name
        self._load_model = load
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"classifier-{name}")
        self._lock = threading.Lock()
        self._model: GuardModel | None = None
        self._loading: Future[None] | None = None
        self._failure: Exception = ModelLoading()
        self._failed_at = float("-inf")
        self._waiting: deque[_Asked] = deque()

    def load(self) -> Future[None] | None:
        """Begin to load unless it is loaded, being loaded, or failed a moment ago; return the last attempt."""
        with self._lock:
            busy = self._loading is not None and not self._loading.done()
            waiting = time.monotonic() - self._failed_at < RETRY_SECONDS
            if self._model is None and not busy and not waiting:
                self._failure = ModelLoading()
                self._loading = self._thread.submit(self._load)
            return self._loading

    def classify(self, texts: Sequence[str], deadlines: Sequence[Deadline]) -> Future[Classified]:
        """Return the predictions to come; raise ModelLoading, or what the last loading raised."""
        model = self._model
        if model is None:
            self.load()
            raise self._failure.with_traceback(None)  # else each raising would add to it
        asked = _Asked(texts, deadlines)
        self._waiting.append(asked)
        # One turn for each: whoever finds that an earlier one took what it came for does nothing.
        self._thread.submit(self._turn, model)
        return asked.answer

    def close(self) -> None:
        """Give up the thread, after what it does."""
        self._thread.shutdown(cancel_futures=True)
        while self._waiting:
            self._waiting.popleft().answer.cancel()

    def _turn(self, model: GuardModel) -> None:
        taken: list[_Asked] = []
        while self._waiting and sum(len(asked.texts) for asked in taken) < TOGETHER:
            asked = self._waiting.popleft()
            if asked.answer.set_running_or_notify_cancel():
                taken.append(asked)
        if taken:
            self._read(model, taken)

    def _read(self, model: GuardModel, several: Sequence[_Asked]) -> None:
        try:
            due = [pair for asked in several for pair in zip(asked.texts, asked.deadlines, strict=True)]
            read = model.predict([text for text, _ in due], deadlines=[deadline for _, deadline in due])
            if len(read) != len(due):
                raise RuntimeError(f"the classifier {self._name} gave {len(read)} answers for {len(due)} texts")
        except Exception as error:  # noqa: BLE001 - it goes to who asked
            if len(several) == 1:
                several[0].answer.set_exception(error)
                return
            for asked in several:  # one of them may be to blame, and must not cost the others their answers
                self._read(model, [asked])
            return
        answers = iter(read)
        for asked in several:
            asked.answer.set_result(Classified(tuple(islice(answers, len(asked.texts))), model.version))

    def _load(self) -> None:
        try:
            self._model = self._load_model(self._name)
        except Exception as error:  # noqa: BLE001 - whatever a model's files do, its rules are unscanned and it is tried again
            log.error("the classifier %s was not loaded: %s", self._name, error)
            self._failure, self._failed_at = error, time.monotonic()


class ServedModels:
    """The `Models` of this process. Safe for threads; made after any fork.

    `patient`: asking waits until a model is loaded, for a process that nobody waits for.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._patient = patient
        self._lanes: dict[str, Lane] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._similarity: Similarity | None = None
        self._sentences = ThreadPoolExecutor(1, thread_name_prefix="sentences")
        self._lock = threading.Lock()

    def prepare(self, timeout: float) -> None:
        """Load every classifier of the models file and wait for it, at most `timeout` seconds a model."""
        try:
            names = list(configured_models().classifiers)
        except ModelsFileError as error:
            log.error("the models file cannot be used: %s", error)
            return
        for loading in [self._lane(name).load() for name in names]:
            if loading is not None:
                wait([loading], timeout)

    def classify(self, name: str, texts: Sequence[str], deadlines: Sequence[Deadline]) -> Future[Classified]:
        """Return the predictions of a classifier; raise ModelMissing, ModelsFileError, or as Lane.classify does."""
        if name not in configured_models().classifiers:
            raise ModelMissing(name)
        lane = self._lane(name)
        if self._patient and (loading := lane.load()) is not None:
            loading.result()
        return lane.classify(texts, deadlines)

    def chat(self, name: str, body: Mapping[str, Any], deadline: Deadline) -> Future[Reply]:
        """Return what a guard LLM will answer; raise ModelMissing, ModelsFileError or EndpointBusy."""
        return self._endpoint(name).chat(body, deadline)

    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> Future[list[list[float]]]:
        """Return how near sentences are in meaning. The encoder is loaded at the first need, on a thread of its own."""
        return self._sentences.submit(self._compare, left, right, deadline)

    def _compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> list[list[float]]:
        deadline.check()
        if self._similarity is None:
            from workers.runtimes.similarity import Similarity

            self._similarity = Similarity(device=os.environ.get("COUNTERSIGN_DEVICE", "auto"))
        return self._similarity.compare(left, right, deadline)

    def close(self) -> None:
        """Give up threads and connections; for the end of a process."""
        for endpoint in self._endpoints.values():
            endpoint.close()
        for lane in self._lanes.values():
            lane.close()
        self._sentences.shutdown(cancel_futures=True)

    def _endpoint(self, name: str) -> Endpoint:
        from workers.endpoints import Endpoint

        config = configured_models().guard_llms.get(name)
        if config is None:
            raise ModelMissing(name)
        with self._lock:
            if name not in self._endpoints:
                self._endpoints[name] = Endpoint(name, config)
            return self._endpoints[name]

    def _lane(self, name: str) -> Lane:
        with self._lock:
            return self._lanes.setdefault(name, Lane(name))
