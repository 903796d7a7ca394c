"""From partial labels to targets: what is known, what follows from it, and what a source's verdict makes likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback.training.data import Example
from feedback.training.lexicon import Lexicon
from screening.categories import MODEL_CATEGORIES

#: A text of the first category is also one of the second, by OpenAI's definitions.
IMPLIES = {
    "harassment/threatening": "harassment",
    "hate/threatening": "hate",
    "illicit/violent": "illicit",
    "violence/graphic": "violence",
}
WEAK, FAINT = 0.4, 0.15
_ALL = frozenset(MODEL_CATEGORIES)
_REMOTE = frozenset({"self-harm", "illicit", "illicit/violent", "prompt_injection", "violence/graphic"})
#: What `flag: 0` of a source says beyond its labels. EDOS calls a text safe that is only not sexist, so its verdict
#: reaches just the categories that such posts hardly ever touch; refusals in GPTFuzz repeat the jailbreak they answer.
SAFE_MEANS = {
    "jigsaw_wikipedia_binary": _ALL,
    "jigsaw_ibm_multilabel_sample": _ALL,
    "diasafety": _ALL,
    "toxigen_safenlp": _ALL,
    "convabuse": _ALL,
    "davidson": _ALL,
    "surge_toxicity": _ALL,
    "bipia_indirect": _ALL,
    "cyberseceval_frr_and_abuse": _ALL,
    "deepset_prompt_injections": _ALL,
    "arena_hard_benign": _ALL,
    "gptfuzz_responses": _ALL - {"prompt_injection", "profanity"},
    "implicit_hate_safenlp": _REMOTE | {"sexual", "hate/threatening", "harassment/threatening"},
    "edos": _REMOTE,
    "ailuminate_demo": frozenset({"prompt_injection", "profanity", "violence/graphic"}),
}
#: Questions that ask for harm outright are no injections and use no foul language.
_PLAIN_QUESTIONS = frozenset({"ailuminate_demo", "harmfulqa", "catqa"})
_NOT_PLAIN = frozenset({"prompt_injection", "profanity", "violence/graphic"})
#: Sources that name one hazard a text: the others are likely absent.
_ONE_HAZARD = frozenset({"ailuminate_demo", "catqa"})
#: What a flagged text of these sources most likely is. GPTFuzz labels its refusals "not illicit" and leaves what was
#: not refused without a label: taken alone, that would teach that answers in its style are harmless.
FLAGGED_MEANS = {"gptfuzz_responses": ("illicit", WEAK), "harmfulqa": ("illicit", FAINT)}


@dataclass(frozen=True)
class Targets:
    """`value` and `weight` [texts, categories] (weight 0: unknown, 1: labelled, less: likely); `some` [texts]: the
    source flagged the text without saying for what."""

    value: np.ndarray
    weight: np.ndarray
    some: np.ndarray


def targets(examples: Sequence[Example], lexicon: Lexicon | None = None) -> Targets:
    """Return what each example teaches; `lexicon` speaks on profanity where no source did."""
    shape = (len(examples), len(MODEL_CATEGORIES))
    value, weight = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    some = np.zeros(len(examples), dtype=bool)
    for row, example in enumerate(examples):
        known = close(example.labels)
        likely = likely_absent(example, known)
        for column, category in enumerate(MODEL_CATEGORIES):
            value[row, column] = known.get(category, 0)
            weight[row, column] = 1.0 if category in known else likely.get(category, 0.0)
        if lexicon is not None and "profanity" not in known:
            column, verdict = MODEL_CATEGORIES.index("profanity"), lexicon.verdict(example.text)
            value[row, column] = verdict or 0
            weight[row, column] = FAINT if verdict is not None else 0.0
        if example.flag == 1 and example.source in FLAGGED_MEANS and not any(known.values()):
            category, weight_of = FLAGGED_MEANS[example.source]
            column = MODEL_CATEGORIES.index(category)
            value[row, column], weight[row, column] = 1, weight_of
        some[row] = example.flag == 1 and not any(known.values())
    return Targets(value, weight, some)


def close(labels: dict[str, int]) -> dict[str, int]:
    """Return labels with what follows: a threat of harassment is harassment; what is no hate is no threat of hate."""
    closed = {c: v for c, v in labels.items() if c in _ALL}
    for child, parent in IMPLIES.items():
        if closed.get(child) == 1:
            closed[parent] = 1
        if closed.get(parent) == 0:
            closed.setdefault(child, 0)
    return closed


def likely_absent(example: Example, known: dict[str, int]) -> dict[str, float]:
    """Return the weight with which each category that is not labelled counts as absent."""
    absent: dict[str, float] = {}
    if example.kind == "post":
        absent["prompt_injection"] = FAINT
    if example.source in _ONE_HAZARD and any(known.values()):
        absent |= dict.fromkeys(_ALL, FAINT)
    if example.source in _PLAIN_QUESTIONS:
        absent |= dict.fromkeys(_NOT_PLAIN, WEAK)
    if example.flag == 0:
        absent |= dict.fromkeys(SAFE_MEANS.get(example.source, frozenset()), WEAK)
    return {c: w for c, w in absent.items() if c not in known}
