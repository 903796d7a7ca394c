"""Write marked texts. A filter, not a template: a template's own line end would show in pre-formatted text."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from review.segments import Segment

register = template.Library()

_MARK = '<mark class="hl hl-{}{}" data-findings="{}" data-label="{}" title="{}">{}</mark>'


_CHANGES = {"added": "<ins>{}</ins>", "removed": "<del>{}</del>", "cut": '<span class="cut">{}</span>'}


@register.filter
def changed(pieces: Iterable[tuple[str, str]]) -> SafeString:
    """Return the escaped text of a comparison, with what was added and removed marked."""
    return mark_safe("".join(format_html(_CHANGES.get(kind, "{}"), text) for kind, text in pieces))  # noqa: S308


@register.filter
def marked(pieces: Iterable[Segment]) -> SafeString:
    """Return the escaped text of `pieces`, with a `mark` element around what findings cover."""
    return mark_safe("".join(_piece(piece) for piece in pieces))  # noqa: S308  # every part is escaped


def _piece(piece: Segment) -> str:
    if not piece.findings:
        return conditional_escape(piece.text)
    begins = " hl-begins" if piece.begins else ""
    return format_html(_MARK, piece.kind, begins, piece.ids, piece.label, piece.label, piece.text)
