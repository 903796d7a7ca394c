"""OpenAI chat format: supervised fine-tuning."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from feedback.exporters.base import MESSAGE, Exporter, Row, Skip, column, list_column
from feedback.exporters.completions import good_completion
from feedback.messages import prompt_of
from feedback.records import Record


class OpenAIChatSFT(Exporter):
    identifier = "openai-chat-sft"
    title = gettext_noop("OpenAI chat (SFT)")
    purpose = gettext_noop(
        "Fine-tune a language model on what people let out, redacted or rewrote. Read by TRL's SFTTrainer, Axolotl, "
        "LLaMA-Factory, Together, Fireworks and Azure. Only the reviewed answer has weight 1."
    )
    exposes = gettext_noop("The text that went out; prompts with the private data that checks found taken out.")
    features = (list_column("messages", (*MESSAGE, column("weight", "int8"))),)

    def rows(self, record: Record) -> list[Row] | Skip:
        completion = good_completion(record)
        if isinstance(completion, Skip):
            return completion
        messages: list[dict[str, Any]] = [dict(message) for message in prompt_of(record)]
        for message in messages:
            if message["role"] == "assistant":
                # Nobody judged the earlier turns: they are context, not an example.
                message["weight"] = 0
        return [{"messages": [*messages, {"role": "assistant", "content": completion, "weight": 1}]}]
