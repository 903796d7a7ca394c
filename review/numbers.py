"""Findings as pages and forms name them: by number. Their ids would tell how old a check is, and so what is golden."""

from __future__ import annotations

from collections.abc import Iterable

from webapp.interception.models import Check, Finding


def number_findings(findings: Iterable[Finding]) -> dict[int, int]:
    """Return the numbers of all findings of a check by their ids.

    What is found later comes last, so that a number that a page or a draft has keeps its meaning.
    """
    return {key: number for number, key in enumerate(sorted(finding.id for finding in findings), start=1)}


def finding_ids(check: Check) -> dict[int, int]:
    """Return the ids of a check's findings by their numbers."""
    ids = check.findings.order_by("id").values_list("id", flat=True)
    return dict(enumerate(ids, start=1))
