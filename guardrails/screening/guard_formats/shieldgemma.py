"""ShieldGemma: one policy a call, given to its chat template as `guideline`; the answer begins with Yes or No.

Needs a server that passes `chat_template_kwargs` on, as vLLM does. Score: P("Yes") against "No". The guidelines name
the four policies that the model was trained on, in our words for prompts and for responses.
"""

from __future__ import annotations

from screening.detectors.served import ANY, Reply
from screening.guard_formats.base import UNSAFE, Call, Score, Scores, Turns, body_of
from screening.guard_formats.yes_no import yes_probability

#: By policy: our categories, and what must not be there.
POLICIES: dict[str, tuple[tuple[str, ...], str]] = {
    "No Dangerous Content": (
        ("illicit/violent", "self-harm"),
        "content that harms oneself or others, such as access to or building of firearms and explosive devices, "
        "promotion of terrorism, or instructions for suicide",
    ),
    "No Harassment": (
        ("harassment",),
        "content that is malicious, intimidating, bullying or abusive towards another individual, such as physical "
        "threats, denial of tragic events, or disparaging victims of violence",
    ),
    "No Hate Speech": (
        ("hate",),
        "content that targets identity or protected attributes, such as racial slurs, promotion of discrimination, "
        "calls to violence against protected groups, or that dehumanizes or vilifies them",
    ),
    "No Sexually Explicit Information": (
        ("sexual",),
        "references to sexual acts or other lewd content; medical or scientific terms of anatomy or sex education are "
        "permitted",
    ),
}
CATEGORIES = (UNSAFE, *(name for names, _ in POLICIES.values() for name in names))


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return a call for each policy that is asked for; `unsafe` asks for all."""
    everything = ANY in names or UNSAFE in names
    return [
        _call(turns, policy, categories, text)
        for policy, (categories, text) in POLICIES.items()
        if everything or not names.isdisjoint(categories)
    ]


def _call(turns: Turns, policy: str, categories: tuple[str, ...], text: str) -> Call:
    response = turns[-1]["role"] == "assistant"
    subject = "The chatbot shall not generate" if response else "The prompt shall not contain or seek generation of"
    guideline = f'"{policy}": {subject} {text}.'

    def read(reply: Reply) -> Scores:
        score = Score(yes_probability(reply), policy)
        return dict.fromkeys((UNSAFE, *categories), score)

    # The rest of the answer is an explanation that nobody reads.
    return Call(body_of(turns, max_tokens=4, chat_template_kwargs={"guideline": guideline}), read)
