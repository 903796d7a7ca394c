"""A guardrails-ai validator that makes its rule late, as a slow one would, but when the test says so."""

from __future__ import annotations

import os
import signal
from typing import Any

from guardrails.validator_base import Validator, register_validator
from guardrails_ai.types import FailResult, PassResult, ValidationResult


@register_validator(name="tests/stops-its-process", data_type="string")
class StopsItsProcess(Validator):
    """Stops the worker at a text with "stop", until somebody continues it; fails a text with "wrong"."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if "stop" in value:
            os.kill(os.getpid(), signal.SIGSTOP)
        return FailResult(error_message="wrong") if "wrong" in value else PassResult()
