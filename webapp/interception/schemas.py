"""What the API takes and gives; docs/reference/api.md and /v1/openapi.json are made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MAX_MESSAGES = 500
MAX_BATCH = 256


Name = Annotated[str, Field(max_length=200)]


class Message(BaseModel):
    """A chat message as OpenAI's API has it; fields beyond these (tool calls, names) are kept as they are."""

    model_config = ConfigDict(extra="allow")

    role: Annotated[str, Field(max_length=40)]
    content: str | list[dict[str, Any]] | None = None


def _no_bool(value: object) -> object:
    # Python takes True for 1.
    if isinstance(value, bool):
        raise ValueError("a number of milliseconds, not true or false")
    return value


class CheckRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    policy: Annotated[str | None, Field(max_length=100, description="Name; the project's default when absent.")] = None
    messages: Annotated[list[Message], Field(max_length=MAX_MESSAGES)] = []
    output: Annotated[str | None, Field(description="The model's output. Absent: only the messages are screened.")] = (
        None
    )
    conversation_id: Name = ""
    end_user: Name = ""
    context: Annotated[list[str], Field(max_length=100, description="Grounding documents.")] = []
    metadata: dict[str, Any] = {}
    deadline_ms: Annotated[int | None, Field(ge=1, le=60_000), BeforeValidator(_no_bool)] = None
    compare_with: Annotated[
        str | None,
        Field(
            max_length=60,
            description="Id of an earlier check of this application with the same messages and another output: "
            "a person compares the two. In a batch also the place of one in it, as #0.",
        ),
    ] = None
    wait: Annotated[bool, Field(description="False: answer 202 at once and screen afterwards.")] = True

    @model_validator(mode="after")
    def _something_to_screen(self) -> CheckRequest:
        if self.output is None and not self.messages:
            raise ValueError("give an output, messages, or both")
        return self


class BatchRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    checks: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_BATCH)]


class PolicyAnswer(BaseModel):
    name: str
    version: int
    sha256: str


class FindingAnswer(BaseModel):
    rule: str
    detector: str
    category: str
    score: float
    threshold: float | None
    action: str
    target: Annotated[str, Field(description='"output", or "messages.N" for the N-th message from 0.')]
    start: Annotated[int | None, Field(description="Code point where it begins; null for the whole text.")]
    end: int | None
    model: str
    detail: str = ""


class UnscannedAnswer(BaseModel):
    rule: str
    reason: str


class ReviewAnswer(BaseModel):
    id: str
    state: str
    url: str


class DecisionAnswer(BaseModel):
    outcome: Literal["released", "redacted", "replaced", "blocked"]
    by: str
    at: str
    machine_verdict: str
    statement: Annotated[str, Field(description="Statement of reasons, as the reviewer left it.")] = ""


class TimingsAnswer(BaseModel):
    total_ms: float
    queue_ms: float
    inference_ms: float


class CheckAnswer(BaseModel):
    """`verdict` is what holds now: the machine's, until a person decides. Absent (null) while `state` is pending."""

    id: str
    state: Literal["pending", "concluded"]
    verdict: Literal["allow", "redact", "hold", "block"] | None
    flagged: bool
    output: Annotated[str | None, Field(description="The text to show; null when nothing goes out.")]
    policy: PolicyAnswer
    findings: list[FindingAnswer]
    unscanned: list[UnscannedAnswer]
    review: ReviewAnswer | None
    decision: DecisionAnswer | None
    timings: TimingsAnswer | None


class ProblemAnswer(BaseModel):
    type: str
    title: str
    status: int
    detail: str
    hint: str
    errors: list[dict[str, str]] | None = None


class BatchAnswer(BaseModel):
    results: list[CheckAnswer | ProblemAnswer]
