"""Sentences for people, in English, that know what they were made of: pages say them in other languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence


class Sentence(str):
    """What it says in English. `template` has the values by name, as `%(name)s`; a value may be a sentence itself.

    Without a template it is a quote, of a library for instance, and the same in every language.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, text: str, template: str = "", values: Mapping[str, object] | None = None) -> Sentence:
        made = super().__new__(cls, text)
        made.template, made.values = template, values or {}
        return made

    def said(self, translate: Callable[[str], str]) -> str:
        """Return the sentence with its templates translated."""
        if not self.template:
            return str(self)
        values = {
            name: value.said(translate) if isinstance(value, Sentence) else value for name, value in self.values.items()
        }
        return translate(self.template) % values


#: No sentence: a fault without a hint has this.
NOTHING = Sentence("")


def say(template: str, /, **values: object) -> Sentence:
    """Return a sentence; a literal template is in the catalogues of the pages. A % of its own is written twice."""
    return Sentence(template % values, template, values)


def joined(sentences: Sequence[Sentence], sign: str) -> Sentence:
    """Return several as one, with `sign` between them."""
    values = {f"part{number}": sentence for number, sentence in enumerate(sentences)}
    return Sentence(sign.join(sentences), sign.join(f"%({name})s" for name in values), values)


def to_say(template: str) -> str:
    """Return a template as it is, and have it in the catalogues."""
    return template


def sentence_of(error: BaseException) -> Sentence:
    """Return what an exception was raised with: its sentence, or its message as a quote."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Sentence) else Sentence(str(error))
