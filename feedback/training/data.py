"""The training texts: read, dropped where they must be, deduplicated, subsampled and split.

Texts come from files given by path (shared/data) and are never written anywhere: checkpoints of a training hold numbers
only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol, Self

from pydantic import Field, ValidationError, model_validator

from feedback.groups import clusters
from feedback.training.fields import Fields, Label, check_categories, check_harmless, why
from feedback.training.lines import objects
from screening.categories import SEXUAL_MINORS

#: Rows kept of a source, when it has more. Chosen so that encoding takes minutes on two cores; rows with a positive
#: label of a rare category are kept first.
SOURCE_LIMITS = {
    "jigsaw_wikipedia_binary": 5_000,
    "civil_toxic_spans_multilabel": 10_000,
    "gptfuzz_responses": 1_500,
    "arena_hard_benign": 1_700,
    "bipia_indirect": 550,
    "diasafety": 8_500,
}
SYNTHETIC = "synthetic"
#: Sources that are never trained or calibrated on: what the model makes of them is what to expect of texts of another
#: origin. Small ones, one each of prompts, posts and questions, so that little is lost.
HELD_OUT = frozenset({"deepset_prompt_injections", "surge_toxicity", "catqa", "jigsaw_ibm_multilabel_sample"})
#: Similarity from which two texts must be on the same side. Lower than for datasets: a jailbreak keeps its form when
#: the question in it changes.
SAME_SIDE = 0.6
RARE = frozenset(
    {"harassment/threatening", "hate/threatening", "illicit/violent", "self-harm", "sexual", "violence", "illicit"}
)
# No sexual text about minors is trained on, in any form. Labels do not tell which rows those are, so every row is
# dropped that names an age or a child and is labelled sexual or has a word of sex; most of them are harmless.
_AGE = re.compile(
    r"minor|underage|child|kid|teen|preteen|pubescent|infant|toddler|school(girl|boy)|young(er)? (girl|boy)|lolita|"
    r"pedo|paedo|grooming|mineur|enfant|ado\b|adolescent|fillette|gar[cç]on|jeune fille|\b1[0-7][- ]?(year|yo|ans)",
    re.IGNORECASE,
)

_SEX = re.compile(
    r"sex|porn|nude|naked|erotic|explicit|molest|\brap(e|ing)|pedo|paedo|groom|lolita|\bnu(e|es|s)?\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text. `labels` holds what is known; `flag` is the source's own verdict, None when it gave none."""

    id: str
    source: str
    kind: str
    text: str
    licence: str
    flag: int | None
    labels: dict[str, int] = field(default_factory=dict)


class Origin(Fields):
    """What every training row says of where it is from."""

    id: Annotated[str, Field(coerce_numbers_to_str=True)]
    source: str
    licence: str

    @model_validator(mode="after")
    def _not_ours(self) -> Self:
        if self.source == SYNTHETIC:
            raise ValueError(f"`source` must not be {SYNTHETIC!r}, the name of our own texts; name it otherwise")
        return self


class _Line(Origin):
    kind: str
    text: str
    flag: Label | None
    labels: dict[str, Label]

    @model_validator(mode="after")
    def _labels(self) -> Self:
        check_categories(self.labels)
        check_harmless(self.flag, self.labels)
        return self


def read_moderation(path: Path) -> list[Example]:
    """Read `moderation_train.jsonl.gz`. Raise OSError, or ValueError that says what is wrong with which line."""
    examples = []
    for number, row in objects(path):
        try:
            line = _Line.model_validate(row)
        except ValidationError as error:
            raise ValueError(
                f"{path}, line {number}: {why(error, {'labels': 'each category that is known, with 0 or 1'})}"
            ) from None
        examples.append(Example(line.id, line.source, line.kind, line.text, line.licence, line.flag, line.labels))
    return examples


def prepare(examples: Iterable[Example], *, seed: int) -> list[Example]:
    """Drop what must not be trained on, merge duplicates, cut large sources; in a stable order."""
    return subsample(usable(examples), seed=seed)


def usable(examples: Iterable[Example]) -> list[Example]:
    """Return what may be trained on, one example a text."""
    return merge_duplicates(e for e in examples if e.text.strip() and not about_minors(e))


def merge_duplicates(examples: Iterable[Example]) -> list[Example]:
    """Keep one example a text (case and spacing aside). Labels on which copies disagree become unknown."""
    merged: dict[str, Example] = {}
    for example in examples:
        key = " ".join(example.text.casefold().split())
        first = merged.get(key)
        if first is None:
            merged[key] = example
            continue
        clash = {c for c, v in example.labels.items() if first.labels.get(c, v) != v}
        labels = {c: v for c, v in (first.labels | example.labels).items() if c not in clash}
        flag = first.flag if first.flag == example.flag else None
        merged[key] = Example(first.id, first.source, first.kind, first.text, first.licence, flag, labels)
    return list(merged.values())


def subsample(examples: list[Example], *, seed: int) -> list[Example]:
    """Apply SOURCE_LIMITS: rare positives first, the rest by a hash of id and seed."""
    by_source: dict[str, list[Example]] = {}
    for example in examples:
        by_source.setdefault(example.source, []).append(example)
    kept: list[Example] = []
    for source in sorted(by_source):
        rows = sorted(by_source[source], key=lambda e: (not _is_rare(e), stable_fraction(e.id, seed)))
        kept += rows[: SOURCE_LIMITS.get(source, len(rows))]
    return kept


class Text(Protocol):
    """What a split looks at: a labelled text, or one with spans."""

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


def split(examples: Sequence[Text], *, seed: int, forms: Sequence[str] | None = None) -> list[str]:
    """Return "train", "calibration", "test" (72, 14 and 14 of 100 clusters) or "unseen" for each example.

    "unseen" is all of the sources HELD_OUT and what is a near-duplicate of a text of theirs. Near-duplicates always
    fall on the same side, within and across sources; of `forms`, where given, and not of the texts. Our own texts
    carry their side in their id.
    """
    real = [i for i, e in enumerate(examples) if e.source != SYNTHETIC]
    names = [e.id.split(":")[1] if e.source == SYNTHETIC else "" for e in examples]
    own = clusters((forms[i] if forms else examples[i].text for i in real), threshold=SAME_SIDE)
    unseen = {cluster for i, cluster in zip(real, own, strict=True) if examples[i].source in HELD_OUT}
    for i, cluster in zip(real, own, strict=True):
        # Another salt than in subsample(), which keeps the rows whose fraction is small.
        names[i] = "unseen" if cluster in unseen else _side(f"split:{examples[real[cluster]].id}", seed)
    return names


def template_of(example: Text) -> str:
    """Return the part of a synthetic id that names its template."""
    return example.id.rpartition(":")[0]


def _side(key: str, seed: int) -> str:
    fraction = stable_fraction(key, seed)
    return "test" if fraction < 0.14 else "calibration" if fraction < 0.28 else "train"


def stable_fraction(key: str, seed: int) -> float:
    """Return a number in [0, 1) that depends on nothing but the two arguments."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _is_rare(example: Example) -> bool:
    return any(value and category in RARE for category, value in example.labels.items())


def about_minors(example: Example) -> bool:
    """Return whether a text joins words of age and of sex, or is labelled so. Such texts take no part at all."""
    sexual = example.labels.get("sexual") == 1 or _SEX.search(example.text) is not None
    return example.labels.get(SEXUAL_MINORS) == 1 or (sexual and _AGE.search(example.text) is not None)
