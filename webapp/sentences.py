"""Sentences in the reader's language, also those that were stored when something failed in the background."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from screening.sentences import Sentence, sentence_of


def said(text: str) -> str:
    """Return a sentence in the reader's language; any other text as it is."""
    return text.said(gettext) if isinstance(text, Sentence) else text


class SaidError(Exception):
    """Raised with a sentence, or with text that is translated already; its `str` is for the reader."""

    def __str__(self) -> str:
        return said(sentence_of(self)) if self.args and isinstance(self.args[0], Sentence) else super().__str__()


def as_parts(sentence: Sentence) -> dict[str, Any]:
    """Return what a sentence is made of, to be stored beside its English text."""
    values = {name: as_parts(v) if isinstance(v, Sentence) else v for name, v in sentence.values.items()}
    return {"template": sentence.template, "values": values} if sentence.template else {"text": str(sentence)}


def from_parts(english: str, parts: dict[str, Any] | None) -> str:
    """Return what was stored in the reader's language; the English text where its parts were not."""
    return english if parts is None else said(_sentence(parts))


def _sentence(parts: dict[str, Any]) -> Sentence:
    if "text" in parts:
        return Sentence(parts["text"])
    values = {name: _sentence(v) if isinstance(v, dict) else v for name, v in parts["values"].items()}
    return Sentence("", parts["template"], values)
