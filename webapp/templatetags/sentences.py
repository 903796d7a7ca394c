"""Sentences of the engine, in the reader's language."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from screening.sentences import Sentence
from webapp.sentences import said

register = template.Library()


@register.filter
def sentence(text: Sentence) -> str | SafeString:
    """Return a sentence in the reader's language; the words of a library stay English, and are marked as English."""
    return said(text) if text.template else format_html('<span lang="en">{}</span>', text)
