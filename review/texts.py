"""What becomes of an output: redacted by its findings, or edited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, cast

from screening.findings import OUTPUT
from screening.redaction import RedactionSpan, redact
from webapp.accounts.models import Project
from webapp.interception.models import Finding
from webapp.interception.screening import redaction_key

_METHODS = ("redact", "mask", "hash")
Method = Literal["redact", "mask", "hash"]


def is_output_span(finding: Finding) -> bool:
    """Whether a finding names a place in the output, so that it can be taken out."""
    return finding.target == OUTPUT and finding.start is not None and finding.end is not None


def redaction_method(finding: Finding | None) -> Method:
    """Return how a place is taken out: as the policy says of the finding; what people found themselves, wholly."""
    return cast(Method, finding.action) if finding is not None and finding.action in _METHODS else "redact"


def redacted_text(
    *, output: str, findings: Iterable[Finding], project: Project, marked: Iterable[RedactionSpan] = ()
) -> str:
    """Return `output` without the places that `findings` name, and those `marked` by people.

    A finding that only holds or flags is redacted.
    """
    spans = [
        RedactionSpan(
            start=finding.start or 0,
            end=finding.end or 0,
            label=finding.category,
            action=redaction_method(finding),
        )
        for finding in findings
        if is_output_span(finding)
    ]
    return redact(output, [*spans, *marked], redaction_key(project.id))


def restore_newlines(edited: str, *, original: str) -> str:
    """Undo what forms do to line ends: they send CRLF, whatever the text had."""
    plain = edited.replace("\r\n", "\n")
    uses_crlf = "\r\n" in original and original.count("\n") == original.count("\r\n")
    return plain.replace("\n", "\r\n") if uses_crlf else plain


def same_but_newlines(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n") == other.replace("\r\n", "\n")


def sha256_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
