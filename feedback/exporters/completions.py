"""Which text, if any, a model should have answered with."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from feedback.exporters.base import Skip
from feedback.records import Record
from review.models.annotations import AnnotationVerdict, Outcome


def good_completion(record: Record) -> str | Skip:
    """Return the text that went out, if people stand behind it.

    An edited text always counts. A redacted one counts: it is what the user got. An output released as it was counts
    only if it was judged fine: people also release what violates, and say so.
    """
    if not record["messages"]:
        return Skip(gettext_noop("no prompt"))
    text = record["released"]
    if text is None or not text.strip() or record["output"] is None:
        return Skip(gettext_noop("nothing went out"))
    if record["outcome"] == Outcome.RELEASE and record["verdict"] != AnnotationVerdict.FINE:
        return Skip(gettext_noop("released, but not judged fine"))
    return text
