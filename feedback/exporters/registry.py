"""Every exporter, by identifier, in the order of the page."""

from __future__ import annotations

from feedback.errors import DatasetError
from feedback.exporters.base import Exporter
from feedback.exporters.huggingface import HuggingFace
from feedback.exporters.label_studio import LabelStudio
from feedback.exporters.multilabel_classifier import MultilabelClassifier
from feedback.exporters.openai_chat_sft import OpenAIChatSFT
from feedback.exporters.openai_evals import OpenAIEvals
from feedback.exporters.pii_spans import PIISpans
from feedback.exporters.trl_preference import TRLPreference
from screening.sentences import say

EXPORTERS: dict[str, Exporter] = {
    made.identifier: made
    for made in (
        OpenAIChatSFT(),
        TRLPreference(),
        MultilabelClassifier(),
        PIISpans(),
        OpenAIEvals(),
        LabelStudio(),
        HuggingFace(),
    )
}


def exporter(identifier: str) -> Exporter:
    """Return the exporter; raise DatasetError, naming those that exist, when there is none of this name."""
    try:
        return EXPORTERS[identifier]
    except KeyError:
        raise DatasetError(
            say(
                "There is no format %(format)s; choose one of: %(formats)s.",
                format=repr(identifier),
                formats=", ".join(EXPORTERS),
            )
        ) from None
