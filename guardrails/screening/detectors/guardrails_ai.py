"""`guardrails_ai`: any guardrails-ai `Validator` class that the operator has allowed.

The library is used for its validators only: never `Guard`, which costs 200 times more, starts threads and reports
usage to its makers. See `quiet_library` for how that is made impossible.
"""

from __future__ import annotations

import importlib
import logging
import os
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from screening.detectors.base import Detector, Options
from screening.findings import Deadline, Hit

if TYPE_CHECKING:
    from guardrails.validator_base import Validator

FAILED = "failed"

#: Comma-separated `package.module:Class` entries that policies may name; read when a worker builds the detector.
ALLOWED_SETTING = "COUNTERSIGN_GUARDRAILS_VALIDATORS"

ClassPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", max_length=200)]


class GuardrailsAiOptions(Options):
    """`validator` is `package.module:Class`; `kwargs` go to its constructor, `metadata` to each call."""

    validator: ClassPath
    kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ValidatorRefused(Exception):
    """The validator is not on the operator's list, cannot be imported, or is no guardrails-ai Validator."""


class GuardrailsAi(Detector):
    name = "guardrails_ai"
    labels = frozenset({FAILED})
    version = "guardrails-ai"
    options_type = GuardrailsAiOptions

    def __init__(self, options: GuardrailsAiOptions) -> None:
        """Import and build the validator; raise ValidatorRefused. Only workers may do this, after they have forked."""
        self.options = options
        if options.validator not in allowed_validators():
            raise ValidatorRefused(f"{options.validator} is not listed in {ALLOWED_SETTING}")
        quiet_library()
        self._validator = _build(options)

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return a hit for each span that fails, or one for the text as a whole when the validator gives no span."""
        deadline.check()
        result = self._validator.validate(text, dict(self.options.metadata))
        if result.outcome != "fail":
            return []
        # Never error_message or a span's reason: validators quote the text in them.
        spans = [(span.start, span.end) for span in getattr(result, "error_spans", None) or []]
        inside = sorted({(start, end) for start, end in spans if 0 <= start < end <= len(text)})
        detail = self.options.validator
        if not inside:
            return [Hit(FAILED, 1.0, detail=detail)]
        return [Hit(FAILED, 1.0, start, end, detail) for start, end in inside]


def allowed_validators() -> frozenset[str]:
    """Return the entries of COUNTERSIGN_GUARDRAILS_VALIDATORS."""
    entries = os.environ.get(ALLOWED_SETTING, "").split(",")
    return frozenset(entry.strip() for entry in entries if entry.strip())


def quiet_library() -> None:
    """Import guardrails-ai so that it never calls out: no usage reports, no remote inference, no price lists.

    Its own switches do not hold: every Guard() reads ~/.guardrailsrc again, whose absence means "report". So the
    reading itself is replaced, before anything has read it. Safe to call again; call it before any other import of
    the library. The root logger is left as it was found, because the library adds a handler to it.
    """
    os.environ.setdefault("GUARDRAILS_RUN_SYNC", "true")  # its event loop hangs for ever after a fork
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        from guardrails.classes.rc import RC

        RC.load = classmethod(_silent)  # type: ignore[assignment, method-assign]
        from guardrails.settings import settings

        settings.rc = RC.load()
        from guardrails.utils.hub_telemetry_utils import HubTelemetry

        # Even switched off it starts an exporter thread, and writes to the root logger each time it is asked for.
        mute = object.__new__(HubTelemetry)
        mute._enabled, mute._tracer = False, None
        HubTelemetry.__new__ = lambda *_args, **_options: mute  # type: ignore[method-assign]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _silent(cls: type[Any], _logger: logging.Logger | None = None) -> Any:
    """Stand in for RC.load."""
    return cls(enable_metrics=False, use_remote_inferencing=False)


def _build(options: GuardrailsAiOptions) -> Validator:
    from guardrails.validator_base import Validator

    module, _, name = options.validator.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValidatorRefused(f"{options.validator} cannot be imported: {type(error).__name__}") from error
    if not isinstance(found, type) or not issubclass(found, Validator):
        raise ValidatorRefused(f"{options.validator} is not a guardrails-ai Validator")
    arguments: dict[str, Any] = {**options.kwargs, "on_fail": "noop"}  # last, so that a policy cannot choose another
    built = found(**arguments)
    built.use_local = True  # whatever the policy says: inference elsewhere is a call out
    return built
