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


@register.filter
def marked_chunks(chunks: Iterable[Iterable[Segment]]) -> SafeString:
    """Return an element for each chunk, marked."""
    return mark_safe("".join(f'<div class="chunk">{marked(pieces)}</div>' for pieces in chunks))  # noqa: S308  # likewise


def _piece(piece: Segment) -> SafeString:
    # A browser reads CR LF as one character unless it is written so; offsets of marks would not fit then.
    text = mark_safe(conditional_escape(piece.text).replace("\r", "&#13;"))  # noqa: S308  # escaped before
    if not piece.findings:
        return text
    classes = f"{' hl-begins' if piece.begun else ''}{f' hl-also-{piece.also}' if piece.also else ''}"
    return format_html(_MARK, piece.kind, classes, piece.names, piece.chip, piece.label, text)
