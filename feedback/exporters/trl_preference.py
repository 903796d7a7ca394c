"""TRL's conversational preference format: DPO, ORPO, reward models."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from feedback.exporters.base import MESSAGE, Exporter, Row, Skip, list_column
from feedback.messages import prompt_of
from feedback.records import Record


class TRLPreference(Exporter):
    identifier = "trl-preference"
    title = gettext_noop("TRL preference (DPO)")
    purpose = gettext_noop(
        "Teach a language model to prefer what people wrote over what it wrote: DPOTrainer and its kin, explicit "
        "prompt. One row for each pair: every correction is one, and two outputs of which people preferred one."
    )
    exposes = gettext_noop(
        "The rejected text is the output as it was, with its private data: that is what is to be unlearned. The chosen "
        "text is as people wrote it or, of two outputs, as it was; prompts with the private data that checks found "
        "taken out."
    )
    features = tuple(list_column(name, MESSAGE) for name in ("prompt", "chosen", "rejected"))

    def rows(self, record: Record) -> list[Row] | Skip:
        if not record["messages"]:
            return Skip(gettext_noop("no prompt"))
        # Of two that are as good none is to be preferred.
        pairs = [pair for pair in record["pairs"] if pair["strength"] > 0]
        if not pairs:
            return Skip(gettext_noop("no preference"))
        prompt = prompt_of(record)
        return [
            {"prompt": prompt, "chosen": _said(pair["chosen"]), "rejected": _said(pair["rejected"])} for pair in pairs
        ]


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
