"""`guard_llm`: a guard LLM of the models file, behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from screening.detectors.base import Fault, Options
from screening.detectors.configured import find_guard_llm, unknown_names
from screening.detectors.served import (
    ANY,
    NOT_JUDGED,
    Answer,
    Ask,
    Judged,
    ModelMissing,
    Models,
    Reply,
    ServedDetector,
    unread,
)
from screening.findings import Hit, Text
from screening.guard_formats.base import Call, Score, Turns
from screening.guard_formats.registry import FORMATS
from screening.models_file import GuardLlm, configured_models
from screening.sentences import say


class GuardLlmOptions(Options):
    """`model` is a name in the `guard_llms` of the models file."""

    model: str

    def unavailable(self, categories: set[str], entities: set[str]) -> list[Fault]:
        """Return a fault for an unknown model, and for names that its format never gives."""
        model, faults = find_guard_llm(self.model)
        if model is None:
            return faults
        known = FORMATS[model.format].CATEGORIES
        if not known:
            message = say("the format %(format)s judges no harms", format=model.format)
            return [Fault(("options", "model"), message, say("use it as the `judge` of a grounding rule"))]
        return unknown_names("categories", categories, known, self.model)


class GuardLlmDetector(ServedDetector):
    name = "guard_llm"
    queue = "llm"
    maps = "categories"
    labels = None
    options_type = GuardLlmOptions

    def __init__(self, options: GuardLlmOptions) -> None:
        self.options = options

    def ask(self, asks: Sequence[Ask], models: Models) -> list[Answer]:
        """Send every call of every text; the model's own limit bounds how many are under way."""
        config = guard_llm(self.options.model)
        return [self._ask(ask, config, models) for ask in asks]

    def _ask(self, ask: Ask, config: GuardLlm, models: Models) -> Answer:
        form = FORMATS[config.format]
        calls = {text.target: form.calls(conversation(text, ask.check), ask.names) for text in ask.texts}
        # The entry may have another format than when the policy was written, and some judge no outputs for some names.
        if not ask.names <= {ANY, *form.CATEGORIES} or not all(calls.values()):
            return unread(NOT_JUDGED)
        sent = [
            (target, call, models.chat(self.options.model, call.body, ask.deadline))
            for target, own in calls.items()
            for call in own
        ]

        def answer() -> Judged:
            scores: dict[str, dict[str, Score]] = {text.target: {} for text in ask.texts}
            for target, call, future in sent:
                for name, score in read(call, future, ask).items():
                    before = scores[target].get(name)
                    scores[target][name] = score if before is None or score.value > before.value else before
            hits = {
                target: [Hit(name, score.value, detail=score.detail) for name, score in found.items()]
                for target, found in scores.items()
            }
            return Judged(hits, f"{self.options.model}@{config.model}")

        return answer


def guard_llm(name: str) -> GuardLlm:
    """Return the entry of the models file; raise ModelMissing or ModelsFileError."""
    try:
        return configured_models().guard_llms[name]
    except KeyError:
        raise ModelMissing(name) from None


def read(call: Call, future: Future[Reply], ask: Ask) -> dict[str, Score]:
    """Wait for an answer until the rule is due, and read it; raise TimeoutError, GuardAnswerError or what failed."""
    return call.read(future.result(max(0.0, ask.deadline.remaining())))


def conversation(text: Text, check: Sequence[Text]) -> Turns:
    """Return the turns whose last is judged: what was asked, as one turn of the user, then the output.

    A message is judged by itself. So is an output to which nothing was asked, as if a user had written it: the
    templates of these models want a user's turn first.
    """
    asked = "\n\n".join(other.text for other in check if not other.is_output)
    if text.is_output and asked:
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": text.text}]
    return [{"role": "user", "content": text.text}]
