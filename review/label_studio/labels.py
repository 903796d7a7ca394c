"""The labels in a task of Label Studio, and what of its results can not be one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeGuard

from django.utils.translation import gettext_noop

from review.label_studio.answers import MAX_ANSWERS, TOO_MANY_ANSWERS, Said, read_answer, speaks
from review.label_studio.tasks import CONVERSATION
from screening.categories import MODEL_CATEGORIES, MODEL_ENTITIES, SEXUAL_MINORS
from screening.detectors.pii import ENTITIES

#: As many as the column of categories has.
MAX_NAME = 100
MAX_LABELS = 500
#: As many as the column of models has.
MAX_MODEL = 120

OUTSIDE = gettext_noop("a place that is not in the output")
OTHER_TEXT = gettext_noop("a place where the output has another text")
BAD_NAME = gettext_noop("a label that is empty, longer than 100 characters or not printable")
OTHER_KIND = gettext_noop("a result of a kind that is not taken")
TOO_MANY = gettext_noop("more than 500 labels of one task")
#: The largest offset that the database holds.
_MAX_OFFSET = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Label:
    """A category of the output, or of the place from `start` to before `end`, in code points."""

    category: str
    start: int | None = None
    end: int | None = None


@dataclass(slots=True)
class Labels:
    """`source`: "annotation" or "prediction"; each label has the score and the model that gave it.

    `said`: the answers about the whole output, each once.
    """

    source: str
    found: dict[Label, tuple[float, str]] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_labels(task: Mapping[str, Any], text: str, *, own: bool) -> Labels:
    """Return the labels of the annotations that were not cancelled; without such, those of the predictions.

    What several people marked is taken once. `own`: the task was exported from here, so that its predictions are what
    is known already.
    """
    said = [answer for answer in _objects(task.get("annotations")) if not answer.get("was_cancelled")]
    if said or own:
        return _read(Labels("annotation"), said, text)
    return _read(Labels("prediction"), list(_objects(task.get("predictions"))), text)


def _read(labels: Labels, answers: list[Mapping[str, Any]], text: str) -> Labels:
    for answer in answers:
        model = answer.get("model_version")
        model = model[:MAX_MODEL] if isinstance(model, str) and model.isprintable() else ""
        results = list(_objects(answer.get("result")))
        _add_answer(labels, read_answer(filter(speaks, results), text, model=model, left_out=labels.left_out))
        for result in results:
            if speaks(result):
                continue
            given = (_score(result, answer), model)
            for label in _labels_of(result, text):
                if isinstance(label, str):
                    labels.left_out[label] += 1
                elif label not in labels.found and len(labels.found) == MAX_LABELS:
                    labels.left_out[TOO_MANY] += 1
                else:
                    labels.found.setdefault(label, given)
    return labels


def _add_answer(labels: Labels, said: Said | None) -> None:
    if said is None or said in labels.said:
        return
    if len(labels.said) == MAX_ANSWERS:
        labels.left_out[TOO_MANY_ANSWERS] += 1
    else:
        labels.said.append(said)


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list; Label Studio writes numbers of predictions where it leaves them out."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _score(result: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    score = result.get("score", answer.get("score"))
    is_probability = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    return float(score) if is_probability and score is not None else 1.0


def _labels_of(result: Mapping[str, Any], text: str) -> Iterator[Label | str]:
    """Yield the labels of a result, and for what is none the reason."""
    kind, value = result.get("type"), result.get("value")
    value = value if isinstance(value, dict) else {}
    if kind == "choices":
        yield from (_named(name) for name in _list(value.get("choices")))
    elif kind == "labels":
        place = OUTSIDE if result.get("to_name") == CONVERSATION else _place(value, text)
        yield from (_named(name, place) for name in _list(value.get("labels")))
    else:
        yield OTHER_KIND


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _place(value: Mapping[str, Any], text: str) -> tuple[int, int] | str:
    start, end = value.get("start"), value.get("end")
    if not _is_offset(start) or not _is_offset(end) or not start < end <= len(text):
        return OUTSIDE
    marked = value.get("text")
    # Browsers fold blanks, and give line ends as they like: what matters is that the same words are marked.
    if isinstance(marked, str) and _words(marked) != _words(text[start:end]):
        return OTHER_TEXT
    return start, end


def _is_offset(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_OFFSET


def _words(text: str) -> str:
    return "".join(text.replace("\\n", " ").split())


def _named(name: object, place: tuple[int, int] | str | None = None) -> Label | str:
    if isinstance(place, str):
        return place
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME or not name.strip().isprintable():
        return BAD_NAME
    known = _known().get(_plain(name), name.strip())
    return Label(known) if place is None else Label(known, *place)


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Return the names of ours by how they may be spelled: "Email address" is EMAIL_ADDRESS."""
    return {_plain(name): name for name in (*MODEL_CATEGORIES, SEXUAL_MINORS, *ENTITIES, *MODEL_ENTITIES)}
