"""How heads fare on sources that they were not fitted on."""

from __future__ import annotations

import numpy as np

from feedback.evaluation.figures import measure
from feedback.evaluation.tables import figure
from feedback.training.baseline import tfidf_scores
from feedback.training.features import Spec
from feedback.training.fit import Prepared, Recipe, predict_logits
from feedback.training.pipeline import Bar, Corpus, fit_rows
from screening.categories import MODEL_CATEGORIES

#: Left out together: posts, dialogue, prompts and a test of injections, of about every kind of text.
LEFT_OUT = ("toxigen_safenlp", "convabuse", "deepset_prompt_injections", "ailuminate_demo", "surge_toxicity")


def unseen_sources(
    corpus: Corpus, data: Prepared, *, spec: Spec, recipe: Recipe, seed: int, bar: Bar
) -> list[tuple[str, str, int, int, str, str]]:
    """Return (source, category, known, positive, AP of heads, AP of TF-IDF+LR) where both sides have five texts."""
    sources = np.array([e.source for e in corpus.examples])
    asked = np.flatnonzero(np.isin(sources, LEFT_OUT))
    rows = np.setdiff1d(corpus.rows("train"), asked)
    if not len(asked):
        return []
    logits = predict_logits(fit_rows(corpus, data, rows, spec=spec, recipe=recipe, seed=seed, bar=bar), data, asked)
    baseline = tfidf_scores([e.text for e in corpus.examples], corpus.targets, rows, asked)
    table = []
    for source in LEFT_OUT:
        own = sources[asked] == source
        for column, category in enumerate(MODEL_CATEGORIES):
            value, weight = corpus.targets.value[asked[own], column], corpus.targets.weight[asked[own], column]
            ours = measure(logits[own, column], value, weight, threshold=0, seed=seed)
            base = measure(np.nan_to_num(baseline[own, column]), value, weight, threshold=0.5, seed=seed)
            if ours.ap and base.ap:
                table.append((source, category, ours.known, ours.positive, figure(ours.ap), figure(base.ap.value)))
    return table
