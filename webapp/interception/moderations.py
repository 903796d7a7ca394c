"""`/openai/v1/moderations`: OpenAI's moderation contract, answered by the project's default policy."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from screening.categories import SEXUAL_MINORS
from webapp.interception.auth import ApiRequest, spend
from webapp.interception.doors import intake, make_api, screen
from webapp.interception.models import Check
from webapp.interception.problems import Problem, problem_of
from webapp.interception.schemas import CheckRequest

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
#: Categories that our model does not tell apart: the score is that of the one above.
_PARENT = {"self-harm/intent": "self-harm", "self-harm/instructions": "self-harm"}
MAX_INPUTS = 64

api = make_api(namespace="openai", title="Countersign for OpenAI clients", description="OpenAI's contracts.")


class TextPart(BaseModel):
    """A part that is its text and nothing else: what lies beside it would be passed over."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class ModerationRequest(BaseModel):
    """As OpenAI's; images are not screened and are refused, not passed over."""

    model_config = ConfigDict(extra="ignore")

    input: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[TextPart], Field(min_length=1, max_length=MAX_INPUTS)]
    )
    model: str = "omni-moderation-latest"

    @field_validator("input", mode="before")
    @classmethod
    def _of_one_form(cls, given: object) -> object:
        """Say what is wrong where pydantic would say of each form why it is not that one."""
        if isinstance(given, str):
            return given
        if not isinstance(given, list):
            raise ValueError("give a text, a list of texts, or a list of parts of type text")
        if not 1 <= len(given) <= MAX_INPUTS:
            raise ValueError(f"give 1 to {MAX_INPUTS} texts or parts, not {len(given)}")
        for index, item in enumerate(given):
            if not isinstance(item, str) and not _is_part(item):
                raise ValueError(
                    f"item {index}, counted from 0, is neither a text nor a part with `type` text, its `text` and "
                    "nothing else; images and tokens are not screened"
                )
        if len({isinstance(item, str) for item in given}) > 1:
            raise ValueError("give texts or parts, not both in one list")
        return given


def _is_part(item: object) -> bool:
    try:
        TextPart.model_validate(item)
    except ValidationError:
        return False
    return True


@api.post("/moderations", summary="OpenAI moderations")
def create_moderation(request: ApiRequest, wanted: ModerationRequest) -> Any:
    """Screen each text and answer with OpenAI's 13 categories; one result a string, one in all for content parts."""
    texts = _texts(wanted.input)
    items = [intake(request.auth, CheckRequest(output=text), None, "openai.moderations") for text in texts]
    spend(request.auth.project, len(texts))
    checks = _all_of(screen(items), request.path_info)
    return {
        "id": f"modr-{uuid.uuid4().hex}",
        "model": next((check.model_version for check in checks if check.model_version), wanted.model),
        "results": [_result(check) for check in checks],
    }


def _all_of(outcomes: list[Check | Exception], path: str) -> list[Check]:
    """Return the checks. Raises what one failed by: the contract has no place for that beside the others."""
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if not failed:
        return [outcome for outcome in outcomes if isinstance(outcome, Check)]
    problem = problem_of(failed[0], "POST", path)
    if len(failed) < len(outcomes):
        problem.detail = f"{len(failed)} of {len(outcomes)} texts could not be screened; the others are recorded."
    raise problem


def _texts(given: str | list[str] | list[TextPart]) -> list[str]:
    if isinstance(given, str):
        return [given]
    parts = [part.text for part in given if isinstance(part, TextPart)]
    return ["\n".join(parts)] if parts else [text for text in given if isinstance(text, str)]


def _result(check: Check) -> dict[str, Any]:
    if check.scores is None:
        # The contract has no place for "not scanned", and zeros would say that the text passed.
        raise Problem(
            503,
            "The guard model did not answer in time; the check is recorded as unscanned.",
            "Try again; the default policy must have a moderation rule on outputs.",
            retry_after=1,
        )
    reached = {
        finding.category: finding.action != "observe"
        for finding in check.findings.all()
        if finding.detector == "moderation"
    }
    scores = {name: _score(name, check) for name in CATEGORIES}
    return {
        "flagged": check.flagged or check.verdict in ("hold", "block"),
        "categories": {name: reached.get(_PARENT.get(name, name), False) for name in CATEGORIES},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


def _score(name: str, check: Check) -> float:
    scores: dict[str, float] = check.scores or {}
    if name == SEXUAL_MINORS:
        return max((finding.score for finding in check.findings.all() if finding.category == name), default=0.0)
    return scores.get(_PARENT.get(name, name), 0.0)
