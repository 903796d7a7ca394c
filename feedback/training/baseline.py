"""TF-IDF with logistic regression, the model to beat, on the same split and the same labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from feedback.training.labels import Targets


def tfidf_scores(texts: Sequence[str], targets: Targets, train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return scores [rows, categories] of texts `rows` by models fitted on `train`; NaN where nothing can be fitted.

    Raise ValueError when no two of the texts `train` share a word.

    Words and word pairs, sublinear counts, balanced classes, weak labels by their weight: the usual strong setting.
    """
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=200_000)
    fitted = vectoriser.fit_transform([texts[i] for i in train])
    asked = vectoriser.transform([texts[i] for i in rows])
    scores = np.full((len(rows), targets.value.shape[1]), np.nan)
    for column in range(targets.value.shape[1]):
        use = np.flatnonzero(targets.weight[train, column] > 0)
        truth = targets.value[train][use, column]
        if len(set(truth.tolist())) < 2:
            continue
        model = LogisticRegression(C=4.0, max_iter=300, class_weight="balanced", solver="liblinear")
        model.fit(fitted[use], truth, sample_weight=targets.weight[train][use, column])
        scores[:, column] = model.predict_proba(asked)[:, 1]
    return scores
