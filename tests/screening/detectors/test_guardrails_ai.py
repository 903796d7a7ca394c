"""guardrails-ai: allowed validators run, others are refused, and the library never calls out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from screening.detectors.guardrails_ai import GuardrailsAi, GuardrailsAiOptions, ValidatorRefused

VALIDATORS = '''
from guardrails.validator_base import Validator, register_validator
from guardrails_ai.types import ErrorSpan, FailResult, PassResult

@register_validator(name="acme/no-word", data_type="string")
class NoWord(Validator):
    """Fails on a word; goes through the inference that the library traces."""

    def __init__(self, word="foo", spans=True, on_fail=None, **kwargs):
        super().__init__(on_fail=on_fail, word=word, spans=spans, **kwargs)
        self.word, self.spans = word, spans

    def _validate(self, value, metadata):
        at = self._inference(value)
        if at < 0 or metadata.get("lenient"):
            return PassResult()
        spans = [ErrorSpan(start=at, end=at + len(self.word), reason=value)] if self.spans else None
        return FailResult(error_message="quotes " + value, error_spans=spans)

    def _inference_local(self, value):
        return value.find(self.word)

    def _inference_remote(self, value):
        raise AssertionError("remote inference")

class NotOne:
    pass
'''

GUARD = """
import logging, sys, threading
def deny(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        print("called out", event, arguments, flush=True)
        raise RuntimeError("called out")
sys.addaudithook(deny)
handlers = list(logging.getLogger().handlers)
from screening.detectors.guardrails_ai import GuardrailsAi, GuardrailsAiOptions, ValidatorRefused
from screening.findings import Deadline
def hits(text, **options):
    detector = GuardrailsAi(GuardrailsAiOptions(**options))
    return [(hit.category, hit.start, hit.end, hit.detail) for hit in detector.detect(text, Deadline())]
"""

RUN = (
    GUARD
    + """
print(hits("\\U0001f600 a foo", validator="acme_validators:NoWord"))
print(hits("a foo", validator="acme_validators:NoWord", kwargs={"spans": False, "use_local": False, "on_fail": "fix"}))
print(hits("a foo", validator="acme_validators:NoWord", kwargs={"word": "bar"}))
print(hits("a foo", validator="acme_validators:NoWord", metadata={"lenient": True}))
from guardrails import Guard
from guardrails.settings import settings
from acme_validators import NoWord
print(Guard().use(NoWord(on_fail="noop")).validate("a foo").validation_passed, settings.rc.enable_metrics)
print([thread.name for thread in threading.enumerate() if "Otel" in thread.name])
"""
)

REFUSE = (
    GUARD
    + """
for name in ("acme_validators:Missing", "acme_missing:NoWord", "acme_validators:NotOne", "acme_other:NoWord"):
    try:
        GuardrailsAi(GuardrailsAiOptions(validator=name))
    except ValidatorRefused as refused:
        print(refused)
print(logging.getLogger().handlers == handlers)
"""
)


def run(code: str, folder: Path) -> list[str]:
    """Run `code` in a process of its own: the library keeps its state for as long as a process lives."""
    (folder / "acme_validators.py").write_text(VALIDATORS)
    names = ("acme_validators:NoWord", "acme_validators:NotOne", "acme_validators:Missing", "acme_missing:NoWord")
    # No ~/.guardrailsrc: the library reports usage unless one says not to.
    home = {"HOME": str(folder), "COUNTERSIGN_GUARDRAILS_VALIDATORS": ", ".join(names)}
    env = {**os.environ, **home, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_validators_run_and_nothing_calls_out(tmp_path: Path) -> None:
    detail = "'acme_validators:NoWord'"
    assert run(RUN, tmp_path) == [
        f"[('failed', 4, 7, {detail})]",
        f"[('failed', None, None, {detail})]",
        "[]",
        "[]",
        "False False",
        "[]",
    ]


def test_what_is_no_validator_is_refused_and_the_root_logger_is_left_alone(tmp_path: Path) -> None:
    assert run(REFUSE, tmp_path) == [
        "acme_validators:Missing cannot be imported: AttributeError",
        "acme_missing:NoWord cannot be imported: ModuleNotFoundError",
        "acme_validators:NotOne is not a guardrails-ai Validator",
        "acme_other:NoWord is not listed in COUNTERSIGN_GUARDRAILS_VALIDATORS",
        "True",
    ]


def test_what_is_not_listed_is_refused_before_anything_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSIGN_GUARDRAILS_VALIDATORS", raising=False)
    with pytest.raises(ValidatorRefused, match="not listed"):
        GuardrailsAi(GuardrailsAiOptions(validator="os:system"))


@pytest.mark.parametrize("name", ["os.system", "os:", ":x", "a b:c", "a:b.c", "../a:b", "a..b:c"])
def test_a_path_that_is_none_is_refused_in_the_policy(name: str) -> None:
    with pytest.raises(ValidationError):
        GuardrailsAiOptions(validator=name)
