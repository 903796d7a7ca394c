"""Granite Guardian 3.0 to 3.3: one risk a call, chosen by an argument of its chat template; answers yes or no.

3.0 to 3.2 call the argument `risk_name`, 3.3 `criteria_id`, and each ignores the other. Needs a server that passes
`chat_template_kwargs` on, as vLLM does. Score: P(yes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from screening.detectors.served import ANY
from screening.guard_formats.base import UNSAFE, Call, Score, Turns, body_of
from screening.guard_formats.yes_no import yes_probability

RISKS: dict[str, str] = {
    UNSAFE: "harm",
    "violence": "violence",
    "sexual": "sexual_content",
    "profanity": "profanity",
    "hate": "social_bias",
    "illicit": "unethical_behavior",
    "prompt_injection": "jailbreak",
}
CATEGORIES = tuple(RISKS)


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return a call for each risk that is asked for. A jailbreak is looked for in prompts only, as its makers say."""
    asked = RISKS.keys() if ANY in names else RISKS.keys() & names
    if turns[-1]["role"] == "assistant":
        asked = asked - {"prompt_injection"}
    return [_call(turns, category) for category in RISKS if category in asked]


def grounding_call(sentence: str, documents: Sequence[str]) -> Call:
    """Return the call whose UNSAFE score is P(the sentence is not grounded in the documents)."""
    given = [{"doc_id": str(number), "text": text} for number, text in enumerate(documents)]
    # 3.3 reads `documents`, the others a turn of the role `context`; a template leaves out what it does not know.
    turns = [{"role": "context", "content": "\n\n".join(documents)}, {"role": "assistant", "content": sentence}]
    return Call(_body(turns, "groundedness", documents=given), lambda reply: {UNSAFE: Score(yes_probability(reply))})


def _call(turns: Turns, category: str) -> Call:
    risk = RISKS[category]
    return Call(_body(turns, risk), lambda reply: {category: Score(yes_probability(reply), risk)})


def _body(turns: Turns, risk: str, **more: Any) -> dict[str, Any]:
    template = {"guardian_config": {"risk_name": risk, "criteria_id": risk}, "think": False}
    return body_of(turns, max_tokens=32, chat_template_kwargs=template, **more)
