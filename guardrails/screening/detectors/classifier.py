"""`classifier`: any sequence or token classifier that the models file names."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from itertools import compress

from screening.detectors.base import Fault, Options
from screening.detectors.configured import find_classifier, unknown_names
from screening.detectors.served import (
    ANY,
    NOT_JUDGED,
    Answer,
    Ask,
    Classified,
    Judged,
    Models,
    ServedDetector,
    Unread,
    unread,
)
from screening.findings import Deadline, Hit, Prediction
from screening.sentences import say


class ClassifierOptions(Options):
    """`model` is a name in the `classifiers` of the models file."""

    model: str

    def unavailable(self, categories: set[str], entities: set[str]) -> list[Fault]:
        """Return a fault for an unknown model, the wrong kind of mapping, and names that the model never gives."""
        model, faults = find_classifier(self.model)
        if model is None:
            return faults
        names = {"categories": categories, "entities": entities}
        wrong, field = ("entities", "categories") if model.task == "sequence" else ("categories", "entities")
        if names[wrong]:
            message = say(
                "%(model)s is a %(task)s classifier, mapped by `%(field)s`",
                model=self.model,
                task=model.task,
                field=field,
            )
            return [Fault((wrong,), message, say("write %(field)s:", field=field))]
        return unknown_names(field, names[field], model.labels.values(), self.model)


class Classifier(ServedDetector):
    name = "classifier"
    queue = "gpu"
    maps = "either"
    labels = None
    options_type = ClassifierOptions

    def __init__(self, options: ClassifierOptions) -> None:
        self.options = options

    def ask(self, asks: Sequence[Ask], models: Models) -> list[Answer]:
        """Ask for every distinct text of all asks at once, each with the time when the last ask for it is due."""
        model, _faults = find_classifier(self.options.model)
        # The entry may have other labels than when the policy was written. Without an entry, the future says so.
        judged = [model is None or ask.names <= {ANY, *model.labels.values()} for ask in asks]
        if not any(judged):
            return [unread(NOT_JUDGED)] * len(asks)
        due: dict[str, float] = {}
        for ask in compress(asks, judged):
            for text in ask.texts:
                due[text.text] = max(ask.deadline.at, due.get(text.text, 0.0))
        future = models.classify(self.options.model, list(due), [Deadline(at) for at in due.values()])
        place = {text: index for index, text in enumerate(due)}
        return [
            _answer(ask, future, place) if one else unread(NOT_JUDGED) for ask, one in zip(asks, judged, strict=True)
        ]


def _answer(ask: Ask, future: Future[Classified], place: dict[str, int]) -> Answer:
    def answer() -> Judged:
        classified = future.result(max(0.0, ask.deadline.remaining()))
        read = {text.target: classified.predictions[place[text.text]] for text in ask.texts}
        for prediction in read.values():
            if prediction.unscanned:
                raise Unread(prediction.unscanned)
        return Judged({target: _hits(prediction) for target, prediction in read.items()}, classified.version)

    return answer


def _hits(prediction: Prediction) -> list[Hit]:
    scores = [Hit(category, score) for category, score in prediction.scores.items()]
    return scores + [Hit(span.label, span.score, span.start, span.end) for span in prediction.spans or ()]
