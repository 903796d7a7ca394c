"""The words of the product that are stored, and shown, as they are: what a verdict, an outcome or a state is called."""

from __future__ import annotations

from django import template
from django.utils.translation import pgettext_lazy

register = template.Library()

#: Shown in English as they are stored. The contexts tell apart words that other languages do not write the same.
TERMS = {
    "allow": pgettext_lazy("verdict", "allow"),
    "redact": pgettext_lazy("verdict", "redact"),
    "hold": pgettext_lazy("verdict", "hold"),
    "block": pgettext_lazy("verdict", "block"),
    "flag": pgettext_lazy("verdict", "flag"),
    "pending": pgettext_lazy("state", "pending"),
    "errors": pgettext_lazy("verdict", "errors"),
    "release": pgettext_lazy("outcome", "release"),
    "replace": pgettext_lazy("outcome", "replace"),
    "unsure": pgettext_lazy("outcome", "unsure"),
    "released": pgettext_lazy("outcome", "released"),
    "redacted": pgettext_lazy("outcome", "redacted"),
    "replaced": pgettext_lazy("outcome", "replaced"),
    "blocked": pgettext_lazy("outcome", "blocked"),
    "held": pgettext_lazy("outcome", "held"),
    "critical": pgettext_lazy("severity", "critical"),
    "high": pgettext_lazy("severity", "high"),
    "medium": pgettext_lazy("severity", "medium"),
    "low": pgettext_lazy("severity", "low"),
    "blind": pgettext_lazy("scores", "blind"),
    "after_commit": pgettext_lazy("scores", "after_commit"),
    "shown": pgettext_lazy("scores", "shown"),
    "in_review": pgettext_lazy("state", "in_review"),
    "adjudication": pgettext_lazy("state", "adjudication"),
    "escalated": pgettext_lazy("state", "escalated"),
    "decided": pgettext_lazy("state", "decided"),
    "reopened": pgettext_lazy("state", "reopened"),
    "cancelled": pgettext_lazy("state", "cancelled"),
    "expired": pgettext_lazy("state", "expired"),
    "single": pgettext_lazy("method", "single"),
    "consensus": pgettext_lazy("method", "consensus"),
    "adjudicated": pgettext_lazy("method", "adjudicated"),
    "cluster": pgettext_lazy("method", "cluster"),
    "appeal": pgettext_lazy("method", "appeal"),
    "flagged": pgettext_lazy("reason to review", "flagged"),
    "sampled": pgettext_lazy("reason to review", "sampled"),
    "compared": pgettext_lazy("reason to review", "compared"),
    "late": pgettext_lazy("reason to review", "late"),
    "imported": pgettext_lazy("reason to review", "imported"),
    "random": pgettext_lazy("reason to review", "random"),
    "none": pgettext_lazy("severity", "none"),
    "unknown": pgettext_lazy("severity", "unknown"),
    "made": pgettext_lazy("appeals", "made"),
    "upheld": pgettext_lazy("appeals", "upheld"),
    "reversed": pgettext_lazy("appeals", "reversed"),
    "violates": pgettext_lazy("answer", "violates"),
    "fine": pgettext_lazy("answer", "fine"),
    "train": pgettext_lazy("split", "train"),
    "validation": pgettext_lazy("split", "validation"),
    "test": pgettext_lazy("split", "test"),
    "deadline": pgettext_lazy("reason not to be scanned", "deadline"),
    "overloaded": pgettext_lazy("reason not to be scanned", "overloaded"),
    "unreadable": pgettext_lazy("reason not to be scanned", "unreadable"),
    "no worker": pgettext_lazy("reason not to be scanned", "no worker"),
    "no context": pgettext_lazy("reason not to be scanned", "no context"),
    "not judged": pgettext_lazy("reason not to be scanned", "not judged"),
    "user": pgettext_lazy("role in a conversation", "user"),
    "assistant": pgettext_lazy("role in a conversation", "assistant"),
    "system": pgettext_lazy("role in a conversation", "system"),
    "tool": pgettext_lazy("role in a conversation", "tool"),
    "output": pgettext_lazy("part of a check", "output"),
}


@register.filter
def term(value: str) -> str:
    """Return the reader's word for a stored one; what is no word of the product stays as it is."""
    return str(TERMS.get(value, value))
